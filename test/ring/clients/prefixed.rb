# Sets keys by Dalli with a namespace.
require "dalli"
require "json"

input = JSON.parse($stdin.read)
servers = input["servers"].map { |s| "#{s["host"]}:#{s["port"]}:#{s["weight"]}" }
client = Dalli::Client.new(servers, namespace: input["prefix"].chomp(":"))
input["keys"].each { |key| client.set(key, 1) or raise "#{key} was not stored" }

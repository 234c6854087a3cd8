# Where Dalli puts keys: its ring asked without the step that connects.
require "dalli"
require "json"

input = JSON.parse($stdin.read)
placed = input["lists"].transform_values do |servers|
  specs = servers.map { |s| "#{s["host"]}:#{s["port"]}:#{s["weight"]}" }
  names = servers.map { |s| "#{s["host"]}:#{s["port"]}" }
  ring = Dalli::Client.new(specs).send(:ring)
  input["keys"].map do |key|
    server = ring.send(:server_for_hash_key, ring.send(:hash_for, key))
    names.index(server.name)
  end
end
puts JSON.generate(placed)

<?php
// Sets keys by php-memcached with a prefix.
$input = json_decode(stream_get_contents(STDIN), true);
$client = new Memcached();
// Over the text protocol it takes no key that is not ASCII.
$client->setOption(Memcached::OPT_BINARY_PROTOCOL, true);
$client->setOption(Memcached::OPT_PREFIX_KEY, $input['prefix']);
if (($argv[1] ?? '') === 'ketama') {
    $client->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, true);
}
foreach ($input['servers'] as $server) {
    $client->addServer($server['host'], $server['port'], $server['weight']);
}
foreach ($input['keys'] as $key) {
    $client->set($key, 1) or throw new Exception("$key was not stored");
}

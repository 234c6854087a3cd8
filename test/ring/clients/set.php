<?php
// Sets keys by PHP's extension memcache (not memcached), which tells nobody where it puts them.
$input = json_decode(stream_get_contents(STDIN), true);
ini_set('memcache.hash_strategy', 'standard');
$client = new Memcache();
foreach ($input['servers'] as $server) {
    $client->addServer($server['host'], $server['port'], true, $server['weight']);
}
foreach ($input['keys'] as $key) {
    $client->set($key, 1) or throw new Exception("$key was not stored");
}

<?php
// Where php-memcached puts keys. Reads {lists, keys, ketama}, writes list name => positions.
$input = json_decode(stream_get_contents(STDIN), true);
$ketama = ($argv[1] ?? '') === 'ketama';
$placed = [];
foreach ($input['lists'] as $name => $servers) {
    $client = new Memcached();
    if ($ketama) {
        $client->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, true);
    }
    $positions = [];
    foreach ($servers as $position => $server) {
        $client->addServer($server['host'], $server['port'], $server['weight']);
        $positions["{$server['host']}:{$server['port']}"] = $position;
    }
    $placed[$name] = array_map(function ($key) use ($client, $positions) {
        $server = $client->getServerByKey($key);
        return $positions["{$server['host']}:{$server['port']}"];
    }, $input['keys']);
}
echo json_encode($placed);

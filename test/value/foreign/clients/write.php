<?php
// Writes values with PHP's extension memcache (not memcached): write.php PREFIX HOST PORT
[, $prefix, $host, $port] = $argv;
ini_set('memcache.compress_threshold', '1000');
$client = new Memcache();
$client->addServer($host, (int) $port);
$values = [
    'text' => 'text', 'utf8' => 'héé €', 'empty' => '', 'bytes' => "\0\xff\r\n", 'int' => 7,
    'negative' => -42, 'float' => 1.5, 'true' => true, 'false' => false, 'null' => null,
    'list' => [1, 'a'], 'map' => ['a' => 1], 'long' => str_repeat('spam ', 1000),
    'longList' => array_fill(0, 1000, 'spam'),
];
foreach ($values as $name => $value) {
    $client->set("$prefix-$name", $value) or throw new Exception("$name was not stored");
}

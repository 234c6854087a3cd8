# Sets keys by Perl's Cache::Memcached::Fast, which tells nobody where it puts them.
use strict;
use warnings;
use Cache::Memcached::Fast;
use JSON::PP;

my $input = decode_json(do { local $/; <STDIN> });
my $client = Cache::Memcached::Fast->new({
    servers => [ map { { address => "$_->{host}:$_->{port}", weight => $_->{weight} } } @{ $input->{servers} } ],
});
for my $key (@{ $input->{keys} }) {
    utf8::encode($key);
    $client->set($key, 1) or die "$key was not stored";
}

# Where Perl's Cache::Memcached puts keys: its buckets asked without the step that connects.
use strict;
use warnings;
use Cache::Memcached;
use JSON::PP;

my $input = decode_json(do { local $/; <STDIN> });
utf8::encode($_) for @{ $input->{keys} };
my %placed;
for my $name (keys %{ $input->{lists} }) {
    my @servers = @{ $input->{lists}{$name} };
    my $client = Cache::Memcached->new({
        servers => [ map { [ "$_->{host}:$_->{port}", $_->{weight} ] } @servers ],
    });
    $client->init_buckets;
    my %position;
    @position{ map { "$_->{host}:$_->{port}" } @servers } = 0 .. $#servers;
    $placed{$name} = [
        map { $position{ $client->{buckets}[ Cache::Memcached::_hashfunc($_) % $client->{bucketcount} ] } }
            @{ $input->{keys} }
    ];
}
print encode_json(\%placed);

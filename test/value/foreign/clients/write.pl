# Writes values with one of Perl's two clients: write.pl CLASS PREFIX HOST:PORT
use strict;
use warnings;
use utf8;

my ($class, $prefix, $server) = @ARGV;
eval "require $class" or die $@;
my $client = $class->new({ servers => [$server], compress_threshold => 1000 });
my %values = (
    text => "text", empty => "", bytes => "\x00\xff\r\n", int => 7, negative => -42, float => 1.5,
    list => [ 1, "a" ], map => { a => 1 }, long => "spam " x 1000, longList => [ ("spam") x 1000 ],
);
$client->set("$prefix-$_", $values{$_}) or die $_ for sort keys %values;
if ($class->isa("Cache::Memcached::Fast")) {
    my $utf8 = $class->new({ servers => [$server], utf8 => 1 });
    $utf8->set("$prefix-utf8", "h\x{e9}\x{e9} \x{20ac}") or die;
}

export const HELP = `tslibmc-server: an embedded memcached on its own, with memcached's option letters

-p, --port=<num>               TCP port, -1 for a free one (default: 11211)
-U, --udp-port=<num>           UDP port, -1 for a free one (default: 0, off)
-s, --unix-socket=<file>       unix socket instead of TCP
-a, --unix-mask=<mask>         permissions of the unix socket, in octal
-l, --listen=<addr>            address to listen on (default: 127.0.0.1)
-m, --memory-limit=<num>       megabytes for items (default: 64)
-I, --max-item-size=<num>      largest item, such as 512k or 2m (default: 1m)
-M, --disable-evictions        refuse new items when memory is full
-c, --conn-limit=<num>         most connections (default: 1024)
-C, --disable-cas              items without cas numbers
-B, --protocol=<name>          auto, ascii or binary (default: auto)
-S, --enable-sasl              SASL PLAIN; users in the file that MEMCACHED_SASL_PWDB names
-Y, --auth-file=<file>         text authentication; lines of user:password
-Z, --enable-ssl               TLS; needs -o ssl_chain_cert=<file>,ssl_key=<file>
-A, --enable-shutdown          the command shutdown ends the server
-F, --disable-flush-all        no flush_all
-X, --disable-dumping          no cachedump, no metadump
-W, --disable-watch            no watch
-D, --delimiter=<char>         ends a key's prefix in stats detail (default: ":")
-f, --slab-growth-factor=<num> how much larger each slab class is (default: 1.25)
-n, --slab-min-size=<bytes>    key, flags and value in the smallest class (default: 48)
-P, --pidfile=<file>           write the process id to a file
-o, --extended=<list>          idle_timeout=<seconds>, track_sizes, ssl_chain_cert=<file>,
                               ssl_key=<file>, ssl_ca_cert=<file>, ssl_verify_mode=<0-2>,
                               ssl_min_version=<0-3>, ssl_ciphers=<list>; memcached's
                               tuning of threads, tables and pages is taken without effect
-b, --listen-backlog=<num>     connections that may wait to be accepted (default: 1024)
-R, --max-reqs-per-event=<num> requests that count as one turn in stats (default: 20)
-t, -u, -v                     taken without effect
-V, --version                  print the version of memcached that it answers as
-h, --help                     print this
    --compat=<release>         answer as newest, 1.6.18 or 1.4 (default: newest)
    --cluster=<list>           answer "config get cluster" with host:port,host:port,...
`;

// Where gomemcache puts keys. Reads {lists, keys}, writes list name => positions.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/bradfitz/gomemcache/memcache"
)

type server struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

func main() {
	var input struct {
		Lists map[string][]server `json:"lists"`
		Keys  []string            `json:"keys"`
	}
	check(json.NewDecoder(os.Stdin).Decode(&input))
	placed := map[string][]int{}
	for name, servers := range input.Lists {
		var names []string
		positions := map[string]int{}
		for position, s := range servers {
			address := fmt.Sprintf("%s:%d", s.Host, s.Port)
			names = append(names, address)
			positions[address] = position
		}
		var selector memcache.ServerList
		check(selector.SetServers(names...))
		for _, key := range input.Keys {
			address, err := selector.PickServer(key)
			check(err)
			placed[name] = append(placed[name], positions[address.String()])
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(placed))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

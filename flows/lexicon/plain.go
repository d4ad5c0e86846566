package lexicon

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// Plain is a list of data/plain.txt: words as they are typed, in small letters, pairs with a space between. Nothing is
// spelled anew or read by phrases here. The map is shared and never changed. A list that does not exist is a fault of the
// program, and Plain panics.
func Plain(name string) map[string]bool {
	list, ok := plainLists()[name]
	if !ok {
		panic("word list plain.txt: there is no [" + name + "]")
	}
	return list
}

var plainLists = sync.OnceValue(func() map[string]map[string]bool {
	dir, err := fs.Sub(embedded, "data")
	if err != nil {
		panic(err)
	}
	lists := map[string]map[string]bool{}
	err = eachLine(dir, "", "plain.txt", func(section, line string) error {
		if section == "" {
			return fmt.Errorf("%q stands in no section", line)
		}
		if lists[section] == nil {
			lists[section] = map[string]bool{}
		}
		for w := range strings.FieldsSeq(line) {
			lists[section][strings.ReplaceAll(w, "_", " ")] = true
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return lists
})

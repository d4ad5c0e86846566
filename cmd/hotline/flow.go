package main

import (
	"encoding/json"
	"fmt"

	"pulang/bot"
	"pulang/flows/lexicon"
	"pulang/locales"
)

// flowCmd shows the conversation.
type flowCmd struct {
	Graph flowGraph `cmd:"" help:"The conversation as a graph: steps, values, transitions."`
}

type flowGraph struct {
	Format string `enum:"mermaid,json" default:"mermaid" help:"mermaid or json."`
}

// Run prints the graph of the built-in example mission's conversation; every mission asks the same questions.
func (c *flowGraph) Run(io *streams) error {
	cat, err := locales.New()
	if err != nil {
		return err
	}
	m, err := exampleMission()
	if err != nil {
		return err
	}
	g := newFlow(m, []*bot.Mission{m}, cat, lexicon.Default()).Graph()
	if c.Format == "mermaid" {
		_, err = fmt.Fprint(io.out, g.Mermaid())
		return err
	}
	enc := json.NewEncoder(io.out)
	enc.SetIndent("", "  ")
	return enc.Encode(g)
}

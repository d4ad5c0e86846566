package main

import (
	"fmt"

	"pulang/bot"
)

// missionCmd is about the mission file.
type missionCmd struct {
	Example missionExample `cmd:"" help:"Prints a commented mission file to start from."`
}

type missionExample struct{}

// Run prints the example.
func (missionExample) Run(io *streams) error {
	_, err := fmt.Fprint(io.out, bot.ExampleMission())
	return err
}

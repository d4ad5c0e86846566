// Command hotline is the chat hotline for stranded citizens: the bot, the staff's desk and the tools to run them,
// in one binary. `hotline demo` starts everything on this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/redis/go-redis/v9"
)

// Exit codes of the program.
const (
	exitOK     = 0
	exitFailed = 1 // a run that failed
	exitUsage  = 2 // the command line, a setting or the mission file is wrong: nothing was started
)

// hotline is the command line: the settings that every subcommand shares, and the subcommands.
type hotline struct {
	Settings

	Demo       demoCmd       `cmd:"" help:"Everything on this machine, without any account: store, web chat, desk and simulated citizens."`
	Serve      serveCmd      `cmd:"" help:"The real service: channels, relay, timers, desk. Needs a mission file and a durable Redis."`
	Chat       chatCmd       `cmd:"" help:"The citizen's conversation in this terminal. Keeps nothing, queues nothing."`
	Check      checkCmd      `cmd:"" help:"Checks settings, Redis, tokens, clocks, disk and keys: pass or fail per line."`
	Probe      probeCmd      `cmd:"" help:"Asks the service on this machine whether it lives or is ready: for health checks of containers."`
	Mission    missionCmd    `cmd:"" help:"The mission file."`
	Understand understandCmd `cmd:"" help:"Reads messages from standard input, one a line, and prints what the bot takes from each as JSON."`
	Queue      queueCmd      `cmd:"" help:"The callback queue."`
	Case       caseCmd       `cmd:"" help:"Single cases."`
	Export     exportCmd     `cmd:"" help:"Case data as a file: figures, lists, one person's own case. Every file has a row in the audit log."`
	Staff      staffCmd      `cmd:"" help:"Accounts of the staff's desk."`
	WhatsApp   whatsappCmd   `cmd:"" name:"whatsapp" help:"The hotline's WhatsApp number: link, status, unlink."`
	Rotation   keysCmd       `cmd:"" name:"keys" help:"The keys for personal data at rest."`
	Audit      auditCmd      `cmd:"" help:"The audit log."`
	Backup     backupCmd     `cmd:"" help:"Copies the store, which may be served meanwhile, and verifies the copy. The key file is never in it."`
	Restore    restoreCmd    `cmd:"" help:"Brings a backup back into an empty data directory, or into the empty Redis of REDIS_URL."`
	Drill      drillCmd      `cmd:"" help:"Tries what an emergency needs: pass or fail, with counts."`
	Flow       flowCmd       `cmd:"" help:"The conversation."`
	Bench      benchCmd      `cmd:"" help:"Measures this program on this machine: simulated citizens, their own Bot API server and Redis."`
	Yardstick  yardstickCmd  `cmd:"" name:"bench-yardstick" hidden:""`
}

const description = `A chat hotline for stranded citizens: a bot that asks, and a desk from which officers call back.

Secrets are never flags. They come from the environment, or from the file that NAME_FILE names:
REDIS_URL, TELEGRAM_TOKEN, TELEGRAM_WEBHOOK_SECRET, HOTLINE_STAFF_PASSWORD (of the account of --as), WHATSAPP_STORE
(the WhatsApp device store: a file, or a postgres:// address for several replicas; default whatsapp.db in the data
directory).`

// usageError is a mistake in the command line, a setting or the mission file: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// streams are where a subcommand reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}))
}

// run is the whole program: parse, run the subcommand, turn its error into one line and an exit code.
func run(ctx context.Context, args []string, io *streams) (code int) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		// A panic's value may hold anything; where it happened is what a report of the fault needs.
		fmt.Fprintf(io.err, "hotline: a fault of this program (%T); set HOTLINE_LOG_LEVEL=debug to see where\n", p)
		if strings.EqualFold(io.env("HOTLINE_LOG_LEVEL"), "debug") {
			fmt.Fprintf(io.err, "%s", debug.Stack())
		}
		code = exitFailed
	}()
	// The client writes to the standard error by itself; its errors come back from every call anyway.
	redis.SetLogger(quiet{})
	var cli hotline
	exited := -1
	parser, err := kong.New(&cli, kong.Name("hotline"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(io.out, io.err), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exited = code }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(io, &cli.Settings))
	if err != nil {
		return report(io.err, err)
	}
	line, err := parser.Parse(args)
	if exited >= 0 { // --help has printed
		return exited
	}
	if err != nil {
		return report(io.err, usageError{err})
	}
	return report(io.err, line.Run())
}

// report writes the one line that says what is wrong and what to do, and returns the exit code.
func report(to io.Writer, err error) int {
	if err == nil || errors.Is(err, errReported) {
		if err != nil {
			return exitFailed
		}
		return exitOK
	}
	// kong repeats the value of a variable, which may be something that was meant for another one.
	line := fromEnv.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), " ($1)")
	line = canceled.ReplaceAllString(line, "interrupted")
	if at := strings.Index(line, "OOM command not allowed"); at >= 0 {
		line = line[:at] + "Redis is full and refuses every write: give it more memory (runbook redis-full.md)"
	}
	fmt.Fprintln(to, "hotline: "+line)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// canceled is what a part says that a signal ended, once or twice over.
var canceled = regexp.MustCompile(`context canceled( context canceled)*`)

var fromEnv = regexp.MustCompile(` \(from envar ([A-Z_]+)=.*\)$`)

// errReported is a failure whose lines are already written.
var errReported = errors.New("reported")

// quiet is a logger of the Redis client that says nothing.
type quiet struct{}

// Printf says nothing.
func (quiet) Printf(context.Context, string, ...any) {}

package awstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// ErrNoPython says that no python3 here has the module.
var ErrNoPython = errors.New("no python3 has the module")

// A Python is a running python3 that knows what our own code should: how the
// AWS CLI reads something. It is asked again and again, since to start it takes
// a thousand times longer than an answer.
type Python struct {
	cmd     *exec.Cmd
	in      io.Closer
	ask     *json.Encoder
	answers *json.Decoder
}

// StartPython runs a program that defines answer(question), if there is a
// python3 with that module. The arguments are its sys.argv[1:]; both questions
// and answers are JSON.
func StartPython(module, program string, args ...string) (*Python, error) {
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import "+module).Run() == nil {
			return start(exec.Command(name, append([]string{"-c", program + `
import json, sys
for line in sys.stdin.buffer:
    print(json.dumps(answer(json.loads(line))), flush=True)
`}, args...)...))
		}
	}
	return nil, fmt.Errorf("%w %s", ErrNoPython, module)
}

func start(cmd *exec.Cmd) (*Python, error) {
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &Python{cmd, in, json.NewEncoder(in), json.NewDecoder(out)}, cmd.Start()
}

// Ask has the question answered.
func (p *Python) Ask(question, answer any) error {
	return errors.Join(p.ask.Encode(question), p.answers.Decode(answer))
}

// Close ends the process.
func (p *Python) Close() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

package profile

import "testing"

// By ntpath.expanduser(ntpath.expandvars(path)) of CPython 3.6 to 3.13, which
// agree, with these variables alone.
func TestPathsOfWindowsAreExpandedAsByTheAWSCLI(t *testing.T) {
	env := environment(map[string]string{"USERPROFILE": `C:\Users\jane`, "USERNAME": "jane", "X": "x", "A-B": "ab", "PROGRAMFILES(X86)": `C:\Program Files (x86)`})
	for path, want := range map[string]string{
		`~\.aws\config`:          `C:\Users\jane\.aws\config`,
		`~/.aws/config`:          `C:\Users\jane/.aws/config`,
		`~`:                      `C:\Users\jane`,
		`~bob/config`:            `C:\Users\bob/config`,
		`~jane\c`:                `C:\Users\jane\c`,
		`%USERPROFILE%\c`:        `C:\Users\jane\c`,
		`$X\c`:                   `x\c`,
		`${X}y`:                  `xy`,
		`%X%%X%`:                 `xx`,
		`%%X%`:                   `%X%`,
		`$$X`:                    `$X`,
		`%NO%\c`:                 `%NO%\c`,
		`$NO`:                    `$NO`,
		`'%X%'%X%`:               `'%X%'x`,
		`C:\O'Brien\%X%`:         `C:\O'Brien\%X%`,
		`$A-B`:                   `ab`,
		`%PROGRAMFILES(X86)%\c`:  `C:\Program Files (x86)\c`,
		`%X`:                     `%X`,
		`${X`:                    `${X`,
		`a%`:                     `a%`,
		`~\$X`:                   `C:\Users\jane\x`,
		`C:\Users\JANEDO~1\.aws`: `C:\Users\JANEDO~1\.aws`,
	} {
		if got := expand("windows", path, env); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestTheHomeOfWindowsIsThatOfTheAWSCLI(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"USERPROFILE": `C:\Users\jane`, "HOME": "/home/jane", "HOMEDRIVE": "H:", "HOMEPATH": `\`}, `C:\Users\jane`},
		{map[string]string{"HOMEDRIVE": "H:", "HOMEPATH": `\jane`}, `H:\jane`},
		{map[string]string{"HOME": "/home/jane", "HOMEDRIVE": "H:"}, ""},
		{map[string]string{"USERPROFILE": "", "HOMEPATH": `\jane`}, ""},
	} {
		if got := homeOn("windows", environment(c.env)); got != c.want {
			t.Errorf("%v: got %q, want %q", c.env, got, c.want)
		}
	}
}

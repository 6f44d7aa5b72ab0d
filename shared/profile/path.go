package profile

import (
	"os/user"
	"regexp"
	"runtime"
	"strings"
)

func homeVariable() string {
	if runtime.GOOS == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}

// Home is the user's home directory as the AWS CLI finds it: HOME, else the one
// the system has on record (Windows: USERPROFILE, else HOMEDRIVE and HOMEPATH);
// "" without any.
func Home(env Environment) string { return homeOn(runtime.GOOS, env) }

func homeOn(goos string, env Environment) string {
	if goos == "windows" {
		home, ok := env("USERPROFILE")
		if path, has := env("HOMEPATH"); !ok && has {
			drive, _ := env("HOMEDRIVE")
			return drive + path
		}
		return home
	}
	if home, ok := env("HOME"); ok {
		return home
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

// expand is Python's os.path.expandvars, then expanduser, on that system.
func expand(goos, path string, env Environment) string {
	if goos == "windows" {
		return expandWindowsUser(expandWindowsVars(path, env), env)
	}
	return expandUser(expandVars(path, env), env)
}

// expandVars leaves variables that are unknown as they are.
func expandVars(path string, env Environment) string {
	return regexp.MustCompile(`\$(\w+|\{[^}]*\})`).ReplaceAllStringFunc(path, func(ref string) string {
		if value, ok := env(strings.Trim(ref, "${}")); ok {
			return value
		}
		return ref
	})
}

// expandUser expands ~ and ~name at the start.
func expandUser(path string, env Environment) string {
	if !strings.HasPrefix(path, "~") {
		return path
	}
	name, rest := path[1:], ""
	if at := strings.IndexByte(path, '/'); at >= 0 {
		name, rest = path[1:at], path[at:]
	}
	if name == "" {
		return homeOn("", env) + rest
	}
	if u, err := user.Lookup(name); err == nil {
		return u.HomeDir + rest
	}
	return path
}

// expandWindowsVars knows %NAME% besides, %% and $$ for one, and leaves what is
// in single quotes. Source: ntpath.py of CPython 3.13.
func expandWindowsVars(path string, env Environment) string {
	variable := regexp.MustCompile(`'[^']*'?|%(?:%|[^%]*%?)|\$(?:\$|[-\w]+|\{[^}]*\}?)`)
	return variable.ReplaceAllStringFunc(path, func(ref string) string {
		name, closed := ref[1:], true
		switch {
		case ref == "%%", ref == "$$":
			return name
		case ref[0] == '%':
			name, closed = strings.CutSuffix(name, "%")
		case strings.HasPrefix(name, "{"):
			name, closed = strings.CutSuffix(name[1:], "}")
		}
		if value, ok := env(name); ok && closed && ref[0] != '\'' {
			return value
		}
		return ref
	})
}

// expandWindowsUser takes the home of another user for the neighbour of this
// user's, if that is named after them. Source: ntpath.py of CPython 3.13.
func expandWindowsUser(path string, env Environment) string {
	const separators = `\/`
	if !strings.HasPrefix(path, "~") {
		return path
	}
	name, rest := path[1:], ""
	if at := strings.IndexAny(path, separators); at >= 0 {
		name, rest = path[1:at], path[at:]
	}
	home := homeOn("windows", env)
	if home == "" {
		return path
	}
	if current, _ := env("USERNAME"); name != "" && name != current {
		at := strings.LastIndexAny(home, separators)
		if home[at+1:] != current {
			return path
		}
		home = home[:at+1] + name
	}
	return home + rest
}

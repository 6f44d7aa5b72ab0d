package main

import (
	"context"
	"errors"
	"os"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/cli"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

// seeds saves or forgets the seeds of the profiles' MFA devices.
func (l *login) seeds(ctx context.Context, v *cli.Voice, set *profile.Set) error {
	for _, name := range l.Profiles {
		serial, err := serialNumber(v, set, name)
		if err == nil && l.SaveSeed {
			err = l.saveSeed(ctx, v, name, serial)
		} else if err == nil {
			err = forgetSeed(ctx, v, serial)
		}
		if err != nil {
			return &cli.ProfileError{Profile: name, Err: err}
		}
	}
	return nil
}

// serialNumber is the MFA device of a profile, with or without a role.
func serialNumber(v *cli.Voice, set *profile.Set, name string) (string, error) {
	p, err := set.Profile(name)
	if err != nil {
		return "", err
	}
	serial := p.Value("mfa_serial")
	if p.Kind() == profile.AssumeRole {
		role, err := cli.Role(v, set, name)
		if err != nil {
			return "", err
		}
		serial = role.SerialNumber
	}
	if serial.Text == "" {
		return "", &profile.SettingError{Profile: name, Key: "mfa_serial", From: serial.From, Reason: "is not set, so there is no MFA device that a seed could be of"}
	}
	return serial.Text, nil
}

// saveSeed keeps the seed of the profile's MFA device. What was kept before
// goes once the new one is there.
func (l *login) saveSeed(ctx context.Context, v *cli.Voice, name, serial string) error {
	seed, err := l.readSeed(ctx, v, serial)
	if err != nil {
		return err
	}
	memory := cli.Memory()
	where := "the system's keyring"
	if l.SeedStore == "file" {
		where = memory.SealedPath(serial)
		err = toFile(ctx, v, memory, serial, seed)
	} else {
		err = toKeyring(ctx, memory, serial, seed)
	}
	if err != nil {
		return err
	}
	v.Say("the seed of %s is kept in %s", serial, where)
	v.Say("access key and seed on one machine are one thing to steal, no longer two: see \"When to keep a seed\" in aws-mfa-login(1) or README.md")
	if cli.IsTerminal(os.Stderr) {
		v.Trace("its code now: %s", seed.Code(cli.NewClock().Now()))
	}
	v.Hint("to check it: %s", cli.LoginCommand(name, "--force"))
	return nil
}

// readSeed asks for the seed, or reads it where standard input is no terminal.
func (l *login) readSeed(ctx context.Context, v *cli.Voice, serial string) (mfa.Seed, error) {
	switch {
	case !cli.IsTerminal(v.Stdin):
		return mfa.ReadSeed(ctx, v.Stdin)
	case l.NoInput:
		return mfa.Seed{}, &mfa.NoTerminalError{Serial: serial, Wanted: mfa.WholeSeed, Reason: mfa.NoInputAsked}
	}
	return mfa.AskSeed(ctx, serial)
}

// toFile keeps the seed in a file, under a passphrase.
func toFile(ctx context.Context, v *cli.Voice, memory cache.Memory, serial string, seed mfa.Seed) error {
	passphrase, err := mfa.AskNewPassphrase(ctx, serial)
	if err != nil {
		return err
	}
	sealed, err := seed.Seal(passphrase)
	if err != nil {
		return err
	}
	if err := memory.KeepSealed(serial, sealed); err != nil {
		return err
	}
	before, err := remember(ctx, memory, serial, "")
	if err != nil || before != cli.InKeyring {
		return err
	}
	if err := (mfa.Keyring{}).Forget(ctx, serial); err != nil && !errors.Is(err, mfa.ErrNoSeed) {
		v.Warn("the seed is still in the system's keyring as well: %v", err)
	}
	return nil
}

func toKeyring(ctx context.Context, memory cache.Memory, serial string, seed mfa.Seed) error {
	if err := (mfa.Keyring{}).Save(ctx, serial, seed); err != nil {
		return err
	}
	if _, err := remember(ctx, memory, serial, cli.InKeyring); err != nil {
		return err
	}
	return memory.RemoveSealed(serial)
}

// remember keeps in mind where the seed is, and that no code of it was tried
// yet. It returns where one was before.
func remember(ctx context.Context, memory cache.Memory, serial, store string) (before string, err error) {
	err = memory.ChangeDevice(ctx, serial, func(d *cache.Device) error {
		before = d.Seed
		d.Seed, d.Proven = store, false
		return nil
	})
	return before, err
}

// forgetSeed removes the seed of the MFA device from wherever it may be, also
// where nothing tells any more that it is.
func forgetSeed(ctx context.Context, v *cli.Voice, serial string) error {
	memory := cli.Memory()
	device, unknown := memory.Device(serial)
	_, absent := memory.Sealed(serial)
	if err := memory.RemoveSealed(serial); err != nil {
		return err
	}
	lost := mfa.Keyring{}.Forget(ctx, serial)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case lost == nil, errors.Is(lost, mfa.ErrNoSeed):
	case device.Seed == cli.InKeyring:
		return lost
	case unknown != nil:
		v.Warn("whether a seed is kept in the system's keyring cannot be told: %v", lost)
	}
	if _, err := remember(ctx, memory, serial, ""); err != nil {
		return err
	}
	if lost == nil || absent == nil {
		v.Say("the seed of %s is forgotten here", serial)
	} else {
		v.Say("no seed of %s was found", serial)
	}
	return nil
}

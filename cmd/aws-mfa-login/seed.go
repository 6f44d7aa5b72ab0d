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
		if _, err := mfa.ParseSeed(name); err == nil && !set.Has(name) {
			return cli.UsageError("a seed is never an argument, where others can read it: --save-seed asks for it, or reads it from standard input")
		}
		serial, err := serialNumber(v, set, name)
		if err == nil && l.SaveSeed {
			err = l.saveSeed(ctx, v, name, serial)
		} else if err == nil {
			err = forgetSeed(ctx, v, name, serial)
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
	if behind, ok := p.Behind(); ok {
		p = behind
	}
	serial := p.Value("mfa_serial")
	if kind := p.Kind(); kind == profile.AssumeRole || kind == profile.MFASession {
		login, err := cli.Login(v, set, p.Name)
		if err != nil {
			return "", err
		}
		serial = login.SerialNumber
	}
	if serial.Text == "" {
		return "", &profile.SettingError{Profile: name, Key: "mfa_serial", From: serial.From, Reason: "is not set, so there is no MFA device that a seed could be of"}
	}
	return serial.Text, nil
}

// saveSeed keeps the seed of the profile's MFA device. What was kept before
// goes once the new one is there.
func (l *login) saveSeed(ctx context.Context, v *cli.Voice, name, serial string) error {
	inFile := l.SeedStore == "file"
	if err := mayKeep(ctx, serial, inFile); err != nil { // before anybody types 64 characters
		return err
	}
	seed, err := l.readSeed(ctx, v, serial)
	if err != nil {
		return err
	}
	where := "the system's keyring"
	if inFile {
		where = cli.Memory().SealedPath(serial)
		err = toFile(ctx, v, serial, seed)
	} else {
		err = toKeyring(ctx, serial, seed)
	}
	if err != nil {
		return err
	}
	v.Say("the seed of %s is kept in %s", serial, where)
	v.Say("access key and seed on one machine are one thing to steal, no longer two: see \"When to keep a seed\" in aws-mfa-login(1) or README.md")
	if cli.IsTerminal(os.Stderr) {
		v.Trace("its code now: %s", seed.Code(cli.NewClocks().Of(profile.Network{}).Now()))
	}
	v.Hint("to check it: %s", cli.LoginCommand(name, "--force"))
	return nil
}

// mayKeep tells why the seed cannot be kept, if so.
func mayKeep(ctx context.Context, serial string, inFile bool) error {
	if inFile {
		return cli.Memory().CheckSealed(serial)
	}
	_, err := mfa.Keyring{}.Load(ctx, serial)
	if garbage := errors.As(err, new(*mfa.SeedError)); errors.As(err, new(*mfa.KeyringError)) && !garbage {
		return err
	}
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
	return mfa.AskSeed(ctx, v.Turn, serial)
}

// toFile keeps the seed in a file, under a passphrase.
func toFile(ctx context.Context, v *cli.Voice, serial string, seed mfa.Seed) error {
	passphrase, err := mfa.AskNewPassphrase(ctx, v.Turn, serial)
	if err != nil {
		return err
	}
	sealed, err := seed.Seal(passphrase)
	if err != nil {
		return err
	}
	memory := cli.Memory()
	device, unknown := memory.Device(serial)
	if err := memory.KeepSealed(serial, sealed); err != nil {
		return err
	}
	left := ""
	if device.Seed == cli.InKeyring || unknown != nil {
		if err := (mfa.Keyring{}).Forget(ctx, serial); err != nil && !errors.Is(err, mfa.ErrNoSeed) {
			v.Warn("the seed may still be in the system's keyring as well: %v", err)
			left = device.Seed
		}
	}
	return remember(ctx, serial, left)
}

// toKeyring leaves nothing in the keyring that nobody would find there again.
func toKeyring(ctx context.Context, serial string, seed mfa.Seed) error {
	if err := remember(ctx, serial, cli.InKeyring); err != nil {
		return err
	}
	err := mfa.Keyring{}.Save(ctx, serial, seed)
	if err == nil {
		err = cli.Memory().RemoveSealed(serial) // which would come first
	}
	if err == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if gone := (mfa.Keyring{}).Forget(ctx, serial); gone == nil || errors.Is(gone, mfa.ErrNoSeed) {
		return errors.Join(err, remember(ctx, serial, ""))
	}
	return err
}

// remember keeps in mind where the seed is, and that no code of it was tried
// yet.
func remember(ctx context.Context, serial, store string) error {
	return cli.Memory().ChangeDevice(ctx, serial, func(d *cache.Device) error {
		d.Seed, d.Proven = store, false
		return nil
	})
}

// forgetSeed removes the seed of the MFA device from wherever it may be, also
// where nothing tells any more that it is.
func forgetSeed(ctx context.Context, v *cli.Voice, name, serial string) error {
	memory := cli.Memory()
	device, unknown := memory.Device(serial)
	_, absent := memory.Sealed(serial)
	lost := mfa.Keyring{}.Forget(ctx, serial)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	inKeyring := lost == nil
	if errors.Is(lost, mfa.ErrNoSeed) {
		lost = nil
	} else if lost != nil && device.Seed != cli.InKeyring {
		if unknown != nil {
			v.Warn("whether a seed is kept in the system's keyring cannot be told: %v", lost)
		}
		lost = nil
	}
	left := memory.RemoveSealed(serial)
	if known := device.Seed != "" || device.Proven || unknown != nil; known && lost == nil && left == nil {
		lost = remember(ctx, serial, "")
	}
	switch {
	case errors.As(lost, new(*mfa.KeyringError)):
		return cli.WithHints(errors.Join(lost, left), "where the keyring is open: "+cli.LoginCommand(name, "--forget-seed"))
	case lost != nil || left != nil:
		return errors.Join(lost, left)
	case inKeyring && absent == nil:
		v.Say("the seed of %s is removed from the system's keyring and from %s", serial, memory.SealedPath(serial))
	case inKeyring:
		v.Say("the seed of %s is removed from the system's keyring", serial)
	case absent == nil:
		v.Say("the seed of %s is removed from %s", serial, memory.SealedPath(serial))
	default:
		v.Say("no seed of %s was found", serial)
	}
	return nil
}

package cache

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A file of Windows has a list of those who may use it, in place of a mode.
// Without one of its own it inherits the directory's: below the user's profile
// that names the user, the system and the administrators, who cannot be kept
// out; elsewhere it often names everybody.
//
// What is ours has a list of its own, of these three, as ssh-keygen gives one to
// private keys. Source:
// https://github.com/PowerShell/openssh-portable/blob/latestw_all/contrib/win32/win32compat/w32-sshfileperm.c

// private is such a list, which a directory hands down.
func private(directory bool) (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, os.NewSyscallError("GetTokenUser", err)
	}
	inherited := ""
	if directory {
		inherited = "OICI" // by files, by directories
	}
	list := "D:P" // protected: nothing is inherited
	for _, who := range []string{user.User.Sid.String(), "SY", "BA"} {
		list += "(A;" + inherited + ";FA;;;" + who + ")"
	}
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		return nil, os.NewSyscallError("ConvertStringSecurityDescriptorToSecurityDescriptor", err)
	}
	return attributes(descriptor), nil
}

func attributes(d *windows.SECURITY_DESCRIPTOR) *windows.SecurityAttributes {
	return &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: d}
}

// accessTo is the list of a file, or nil if it has but what every new file
// beside it inherits.
func accessTo(path string) (*windows.SecurityAttributes, error) {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if errors.Is(err, fs.ErrNotExist) {
		return private(false) // it is gone, as whoever wants to replace it finds
	}
	if err != nil {
		return nil, &fs.PathError{Op: "GetNamedSecurityInfo", Path: path, Err: err}
	}
	own := false
	for ace := range grants(descriptor) {
		own = own || ace.Header.AceFlags&windows.INHERITED_ACE == 0
	}
	if control, _, err := descriptor.Control(); err == nil && !own && control&windows.SE_DACL_PROTECTED == 0 {
		return nil, nil
	}
	return attributes(descriptor), nil
}

// OthersMay tells whether others than the user, and those who may do everything,
// may read the file, or write it or who may use it, as far as its access list
// tells.
func OthersMay(path string) (read, write bool) {
	const (
		reading = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
		writing = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
	)
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return false, false
	}
	if list, _, err := descriptor.DACL(); err == nil && list == nil {
		return true, true // no list is no limit
	}
	for ace := range grants(descriptor) {
		if ace.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE && ace.Header.AceFlags&windows.INHERIT_ONLY_ACE == 0 && !trusted(ace) {
			read, write = read || ace.Mask&reading != 0, write || ace.Mask&writing != 0
		}
	}
	return read, write
}

func grants(descriptor *windows.SECURITY_DESCRIPTOR) func(yield func(*windows.ACCESS_ALLOWED_ACE) bool) {
	return func(yield func(*windows.ACCESS_ALLOWED_ACE) bool) {
		list, _, err := descriptor.DACL()
		if err != nil || list == nil {
			return
		}
		for i := range uint32(list.AceCount) {
			var ace *windows.ACCESS_ALLOWED_ACE
			if windows.GetAce(list, i, &ace) == nil && !yield(ace) {
				return
			}
		}
	}
}

// trusted tells whether the entry is for the user, or for those who may read
// everything anyway.
func trusted(ace *windows.ACCESS_ALLOWED_ACE) bool {
	sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
	for _, kind := range []windows.WELL_KNOWN_SID_TYPE{windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid, windows.WinCreatorOwnerRightsSid} {
		if sid.IsWellKnown(kind) {
			return true
		}
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err == nil && user.User.Sid.Equals(sid)
}

func makeDir(path string) error {
	who, err := private(true)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err == nil {
		err = windows.CreateDirectory(name, who)
	}
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// closeDir closes the directory to others, if it is open to them, where the
// user may; what is in it inherits that.
func closeDir(dir string, _ fs.FileInfo) {
	if read, write := OthersMay(dir); !read && !write {
		return
	}
	who, err := private(true)
	if err != nil {
		return
	}
	list, _, err := who.SecurityDescriptor.DACL()
	if err != nil {
		return
	}
	_ = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

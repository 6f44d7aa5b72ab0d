package profile

// For the tests that stand outside of the package, because they need one that
// imports it.
var (
	PythonWith   = pythonWith
	WithoutLines = withoutLines
)

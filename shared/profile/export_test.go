package profile

// PythonWith is for the tests that stand outside of the package, because they
// need one that imports it.
var PythonWith = pythonWith

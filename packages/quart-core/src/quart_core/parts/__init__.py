"""Methods of the application that an optional package implements.

One module for each package. A body imports the implementation on first use and
says which package to install where it is missing. Nothing else in core names a
package above it.
"""

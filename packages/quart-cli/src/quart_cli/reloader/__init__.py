"""Serving from a child process that is replaced when a file changes.

The supervisor is the process that the user started. It holds the listening sockets,
watches the files, and never imports the application. The child is the same command
line once more; it finds in its environment what it was given (`handover`) and serves on
the inherited sockets. While no child listens, connections wait in the queue of the
system, so a request during a reload is answered by the new code.

::

    supervisor                            child
    bind, start child  -- handover -->    import the application
    watch files        <-- watch, ready   serve, or show why it cannot
    a file changed     -- stop -->        drain, exit
    start child        -- handover -->    ...

A standby child that has imported the framework, and waits for ``go``, makes that fast.
"""

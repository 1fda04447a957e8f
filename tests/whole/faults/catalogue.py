"""Every fault that is known to befall programs of this kind: its number, what it looks like, and why no test tries it,
where none does. P: processes, Q: queues, S: streams, O: overload, R: reloads, L: disks, F: what users met elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

NO_GPU = "needs a graphics card, or a make-believe one at the driver's own interface"


@dataclass(frozen=True)
class Fault:
    number: str
    symptom: str
    reason: str = ""  # why it is not tried


PROCESSES = """
P1 A server ends before it is ready, with status 0
P2 A server fails at every start
P3 Failures at the very edge of what is borne, and an edit or an order in between
P4 The program is missing, no program, for another processor, or lacks a library
P5 A server never becomes healthy
P6 A load is slow and still gets on
P7 A server is deaf to SIGTERM
P8 A server is stopped (SIGSTOP) when it ought to end
P9 A process survives SIGKILL
P10 A server forks and ends; its child lives on
P11 A daemon: forked twice, in a session of its own
P12 A grandchild keeps the output open after the server has died
P13 The proxy is killed while models load and serve
P14 The proxy is killed between fork and exec
P15 The thread that started a server ends
P16 The order to end comes while answers are under way
P17 Ctrl-C in a terminal reaches the whole foreground group
P18 SIGHUP, SIGUSR1, SIGPIPE and other signals
P19 A server dies while nobody uses it
P20 A server dies in the moment in which somebody asks
P21 /health is good and no answer ever comes
P22 /health is good and bad by turns
P23 Another program answers on the port
P24 The port has connections that linger (TIME_WAIT)
P25 A process number belongs to somebody else by now
P26 A thousand orphans end at once
P27 The system has no more processes to give
P28 The kernel kills a server for want of memory
P29 The program is started twice on the same address and state
P30 A start overtakes the stop before it
P31 A ttl ends in the moment in which somebody asks
P32 Everything is unloaded during loads, swaps and streams
P33 Arguments with spaces, quotes, percent signs, line breaks, or of 128 KiB
P34 A server reads from its standard input
P35 A server inherits descriptors
"""

QUEUES = """
Q36 A model is busy and another one needs its room
Q37 A hundred callers of a model that is down
Q38 A caller leaves the queue for which a swap was meant
Q39 Two models that exclude each other are asked for by turns, by many
Q40 The queue is full, or the wait too long
Q41 All that could make room is pinned
Q42 A load runs out of memory
Q43 Another program takes the card's memory between decision and load
Q44 Nobody can say why a model was evicted
"""

STREAMS = """
S45 A server is killed in mid-stream
S46 A server is killed before the first byte, or in an answer of known length
S47 A server dies within an event or within a character
S48 A server falls silent in mid-stream
S49 A server closes only its sending side
S51 A caller leaves in mid-stream
S52 A caller leaves while it waits or while its model loads
S53 A caller reads a byte a second
S54 Very many slow readers
S55 A slow reader is recorded and shown to pages
S56 Bytes arrive in pieces of every size
S57 Pieces of a stream are held back
S58 One event of many megabytes
S59 An answer whose framing contradicts itself
S60 A kept connection closes while a request is sent over it
S61 WebSockets: codes of the close, half-open ones, silent ones
S62 Uploads larger than memory
S63 A caller asks before it sends its body
S64 A compressed body that inflates without end
S65 Trailers behind an answer in chunks
"""

OVERLOAD = """
O69 Connections that never finish their head
O70 Bodies that come a byte at a time
O71 Floods of idle connections
O72 More connections than are allowed
O73 No descriptor is left
O74 The machine runs out of memory
O75 The processor is taken by others
O76 The event loop is held up
O77 The clock jumps, the machine sleeps
O78 Many requests for a long time
O79 Floods of HTTP/2 frames
"""

RELOADS = """
R80 A file that is wrong is saved
R81 A file is saved unchanged
R82 One model's command is changed
R83 A model is removed while it answers
R84 Names, times to live, limits, keys and levels are changed
R85 A hundred saves in a second, and half of a file
R86 A reload during a load, a swap, or the end
R87 What a reload would do is asked beforehand
R88 A new version takes over from the old one
R89 A service manager wants to be told, or is not there
"""

DISKS = """
L90 The disk is full, and there is something to log
L91 The disk is full, and there is something to keep
L92 A folder is gone, read-only, or a pipe that nobody reads
L93 A server prints a hundred megabytes in a second, or one line without end
L94 A server prints bytes that are no text
L95 Log files are rotated under load
L96 The program's own output is closed, or nobody reads it
L97 Keys and secrets turn up where they do not belong
L98 The program is killed at any moment and started again
"""

USERS = """
F1 A request comes while its idle model is being unloaded
F2 Two models are asked for at once while a third goes
F3 A model is evicted before the caller it was loaded for is served
F4 A model is evicted, or ordered to stop, while it loads
F5 A request is sent to a model that is being stopped
F6 Many edits in quick succession, with models that are loaded at once
F7 A wrong configuration is saved
F8 The configuration is a link that is turned, or one mounted file
F9 Orders to load and unload, again and again, while callers wait
F10 Memory never falls below its mark, whatever is evicted
F11 A server dies with a request in hand
F12 A server dies at every start while callers ask again and again
F13 A server is healthy and hangs
F14 A server is slow and does not hang
F15 A server takes long to end, or never does
F16 A script starts the server and its child keeps the pipes
F17 A grandchild has a group or a session of its own
F18 The process that answers is gone, its workers are not
F19 The proxy or its keeper is killed
F20 A port is taken by a stranger
F21 The command ends and its service lives on elsewhere
F22 A container's name is still taken
F23 Output that nobody drains, and pages that do not read
F24 Output with colours, without lines, or that is no text
F25 Loads and downloads that take longer than the limit
F26 The health check wants a key, another path, or answers oddly
F27 localhost is the other loopback
F28 A model starts before the card's memory is back
F29 Two engines measure one card's memory at the same time
F30 An engine starts while another one is torn down
F31 Memory runs out while a model loads
F32 Memory runs out while a model serves
F33 A process's size does not show the card's memory
F34 After a sleep a server is there no more, or no good
F35 The tool that measures cards is missing, hangs, or lies
F36 Callers leave in every phase
F37 A server does not survive a caller who leaves
F38 Callers ask again and again while a model loads
F39 One caller asks for more at once than there are seats
F40 One model is always busy while another one waits
F41 Icons, probes and lists wake models
F42 A socket that stays open keeps others from their turn
F43 News for those who wait go on after the answer has begun
F44 A time limit that nobody asked for ends a slow answer
F45 The proxy holds pieces of a stream back
F46 Paths and bodies arrive changed
F47 A peer that is not there holds up the lists
F48 A stream that was cut looks whole
F49 The order to end comes while streams are under way
F50 Hundreds of models, thousands of combinations
"""

REASONS = {
    "Q43": NO_GPU,
    "F10": "nothing is evicted for a mark of memory here: only callers make room",
    "F29": NO_GPU,
    "F32": "no ceiling of memory is offered; that the kernel ended a server is told (P28)",
    "O79": "HTTP/2 is not offered",
}


def read(section: str) -> list[Fault]:
    rows = [line.split(" ", 1) for line in section.strip().splitlines()]
    return [Fault(number, symptom, REASONS.get(number, "")) for number, symptom in rows]


FAULTS = tuple(
    fault
    for section in (PROCESSES, QUEUES, STREAMS, OVERLOAD, RELOADS, DISKS, USERS)
    for fault in read(section)
)  # fmt: skip

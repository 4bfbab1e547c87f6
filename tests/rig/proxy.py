"""A proxy for HTTP/1.1 that fails on demand: one thread a connection, one request after the other.

A fault is asked for before each request: `proxy.fault = lambda request: Fault or None`. Faults count themselves in
`proxy.done`. `down()` refuses connections as a dead server does, `up()` ends that.
"""

import socket
import struct
import threading
from dataclasses import dataclass, field


@dataclass
class Reset:
    """Both sides are reset after so many bytes of the request's body went on."""
    after: int = 0


@dataclass
class Answer:
    """The request is read whole and answered here; the server never sees it."""
    status: str = "503 Service Unavailable"
    headers: dict = field(default_factory=dict)
    body: bytes = b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>'


@dataclass
class LoseReply:
    """The server does what it was asked; its reply never arrives."""


@dataclass
class Truncate:
    """The reply ends after so many bytes, and the connection with it."""
    after: int = 10


@dataclass
class Stall:
    """Nothing goes on until the event is set."""
    release: threading.Event = field(default_factory=threading.Event)


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    head: bytes

    @property
    def size(self):
        return int(self.headers.get("content-length", 0))


class Gone(Exception):
    pass


class Reader:
    def __init__(self, sock):
        self.sock, self.held = sock, b""

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        self.held += data

    def head(self):
        while b"\r\n\r\n" not in self.held:
            self.more()
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def line(self):
        while b"\r\n" not in self.held:
            self.more()
        line, _, self.held = self.held.partition(b"\r\n")
        return line + b"\r\n"

    def some(self, most):
        if not self.held:
            self.more()
        data, self.held = self.held[:most], self.held[most:]
        return data

    def pass_on(self, size, to):
        while size > 0:
            data = self.some(size)
            size -= len(data)
            to(data)


def headers_of(head):
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


def reset(sock):
    """Closes so that the peer sees a reset, not an end."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    except OSError:
        pass


class Proxy:
    def __init__(self, target_port):
        self.target = ("127.0.0.1", target_port)
        self.fault = None
        self.requests, self.done = [], []
        self.lock = threading.Lock()
        self.open = set()
        self.listener = None
        self.port = 0
        self.up()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def down(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            for sock in list(self.open):
                reset(sock)
            self.open.clear()

    close = down

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = None
        try:
            server = socket.create_connection(self.target)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.open.update((client, server))
            reader, answers = Reader(client), Reader(server)
            while self.exchange(reader, answers, client, server):
                pass
        except (Gone, OSError):
            pass
        finally:
            with self.lock:
                self.open.difference_update((client, server))
            for sock in (client, server):
                if sock:
                    sock.close()

    def exchange(self, reader, answers, client, server):
        head = reader.head()
        method, path, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ")
        request = Request(method, path, headers_of(head), head)
        with self.lock:
            self.requests.append(request)
            fault = self.fault(request) if self.fault else None
            if fault:
                self.done.append(fault)
        if isinstance(fault, Stall):
            fault.release.wait()
            raise Gone
        if isinstance(fault, Answer):
            reader.pass_on(request.size, lambda data: None)
            return self.answer(client, fault)
        server.sendall(head)
        if isinstance(fault, Reset):
            reader.pass_on(min(fault.after, request.size), server.sendall)
            reset(client), reset(server)
            raise Gone
        reader.pass_on(request.size, server.sendall)
        if isinstance(fault, LoseReply):
            answers.head()
            reset(client)
            raise Gone
        return self.reply(request, answers, client, fault)

    @staticmethod
    def answer(client, fault):
        lines = [f"HTTP/1.1 {fault.status}", f"Content-Length: {len(fault.body)}", *(f"{k}: {v}" for k, v in fault.headers.items())]
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + fault.body)
        return True

    @staticmethod
    def reply(request, answers, client, fault):
        head = answers.head()
        if isinstance(fault, Truncate):
            client.sendall(head[:fault.after])
            raise Gone
        headers = headers_of(head)
        client.sendall(head)
        if request.method == "HEAD" or head.split(b" ")[1] in (b"204", b"304"):
            pass
        elif "chunked" in headers.get("transfer-encoding", ""):
            while True:
                line = answers.line()
                client.sendall(line)
                size = int(line.split(b";")[0], 16)
                answers.pass_on(size + 2, client.sendall)
                if size == 0:
                    break
        elif "content-length" in headers:
            answers.pass_on(int(headers["content-length"]), client.sendall)
        else:
            while True:
                client.sendall(answers.some(65536))
        return headers.get("connection", "").lower() != "close"

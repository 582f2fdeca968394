"""A node's first words, written from PROTOCOL.md alone, with nothing but Python's standard library.

usage: stranger.py HOST PORT ROOM VERSION

Dials a node of an open room, proves a key, says HELLO and PING, and prints the node's key once PONG came.
"""
import hashlib, os, socket, struct, sys

# Ed25519 as in RFC 8032, section 5.1, in extended coordinates.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, a):
    sum = (0, 1, 1, 0)
    while n:
        if n & 1:
            sum = add(sum, a)
        a, n = add(a, a), n >> 1
    return sum


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or x == 0 and sign:
        return None
    return P - x if x & 1 != sign else x


def point(bytes):
    n = int.from_bytes(bytes, "little")
    y, sign = n & (1 << 255) - 1, n >> 255
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def packed(a):
    over = pow(a[2], -1, P)
    x, y = a[0] * over % P, a[1] * over % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def halves(secret):
    hash = hashlib.sha512(secret).digest()
    n = int.from_bytes(hash[:32], "little")
    return n & (1 << 254) - 8 | 1 << 254, hash[32:]


def public_of(secret):
    return packed(times(halves(secret)[0], BASE))


def sign(secret, text):
    n, prefix = halves(secret)
    public, r = public_of(secret), number(prefix, text) % Q
    first = packed(times(r, BASE))
    s = (r + number(first, public, text) % Q * n) % Q
    return first + s.to_bytes(32, "little")


def is_small(a):
    return packed(times(8, a)) == packed((0, 1, 1, 0))


def holds(public, text, signature):
    a, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q or is_small(a) or is_small(r):
        return False
    k = number(signature[:32], public, text) % Q
    return packed(times(s, BASE)) == packed(add(r, times(k, a)))


# CBOR as in RFC 8949, as far as the messages here need it.
def head(major, n):
    for size, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | code]) + n.to_bytes(size, "big")


def dump(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(dump, value))
    pairs = (dump(name) + dump(field) for name, field in value.items())
    return head(5, len(value)) + b"".join(pairs)


def load(data, at=0):
    major, n, at = data[at] >> 5, data[at] & 31, at + 1
    if major == 7:
        return {20: False, 21: True}.get(n), at
    if n >= 24:
        size = 1 << n - 24
        n, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major == 0:
        return n, at
    if major in (2, 3):
        bytes = data[at : at + n]
        return (bytes if major == 2 else bytes.decode()), at + n
    items = []
    for _ in range(n if major == 4 else 2 * n):
        item, at = load(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at


def key_of(public):
    hash = hashlib.blake2b(b"papo key 1" + public, digest_size=32).digest()
    return int.from_bytes(hash[:8], "big")


def certificate_holds(certificate, public):
    text = b"papo certificate 1" + public
    return holds(certificate["identity"], text, certificate["signature"])


def proof_text(signer, dialler, acceptor, room):
    text = b"papo proof 1" + signer
    for end in (dialler, acceptor):
        identity = end["cert"]["identity"] if "cert" in end else bytes(32)
        text += end["public"] + end["nonce"] + identity
    return text + bytes(32) + room.encode()


def main():
    host, port, room = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    version = int(sys.argv[4])
    link = socket.create_connection((host, port), 10)
    heard = link.makefile("rb")

    def say(kind, fields):
        item = dump([kind, fields])
        link.sendall(struct.pack(">I", len(item)) + item)

    def hear(kind):
        while True:
            size = heard.read(4)
            if len(size) < 4:
                sys.exit("the node ended the link")
            item = heard.read(struct.unpack(">I", size)[0])
            found, fields = load(item)[0]
            if found == kind:
                return fields

    secret = os.urandom(32)
    own = {"version": version, "public": public_of(secret), "nonce": os.urandom(32)}
    say(26, own)
    theirs = hear(26)
    say(27, {"signature": sign(secret, proof_text(b"d", own, theirs, room))})
    proof = hear(27)["signature"]
    if not holds(theirs["public"], proof_text(b"a", own, theirs, room), proof):
        sys.exit("the node's PROOF does not hold")
    if "cert" in theirs and not certificate_holds(theirs["cert"], theirs["public"]):
        sys.exit("the node's certificate does not hold")
    hello = {"version": version, "room": room, "key": key_of(own["public"])}
    say(1, {**hello, "nick": "stranger", "round": 0, "at": []})
    if hear(1)["key"] != key_of(theirs["public"]):
        sys.exit("the node's HELLO names another key")
    say(11, {})
    hear(12)
    print("%016x" % key_of(theirs["public"]))


if __name__ == "__main__":
    main()

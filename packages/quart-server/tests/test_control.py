import socket

from quart_server.control import Channel, channel_pair


def make():
    ours, sock = channel_pair()
    return ours, Channel(sock)


def test_messages_arrive_whole_and_in_order():
    one, other = make()
    assert one.send("setup", names=["a\nb"], size=3)
    assert one.send("drain")
    assert other.receive(1) == [
        {"kind": "setup", "names": ["a\nb"], "size": 3},
        {"kind": "drain"},
    ]
    one.close()
    other.close()


def test_a_message_in_pieces_is_put_together():
    ours, sock = channel_pair()
    sock.sendall(b'{"kind": "re')
    assert ours.receive(1) == []
    sock.sendall(b'ady"}\n')
    assert ours.receive(1) == [{"kind": "ready"}]
    ours.close()
    sock.close()


def test_without_messages_receiving_ends_after_its_time():
    one, other = make()
    assert one.receive(0.01) == []
    assert not one.is_closed
    one.close()
    other.close()


def test_the_end_of_the_other_side_is_noticed_after_its_last_words():
    one, other = make()
    other.send("failed", reason="why")
    other.close()
    assert one.receive_rest() == [{"kind": "failed", "reason": "why"}]
    assert one.is_closed
    assert not one.send("drain")
    one.close()


def test_the_rest_is_empty_while_the_other_side_is_silent():
    one, other = make()
    assert one.receive_rest() == []
    assert not one.is_closed
    one.close()
    other.close()


def test_long_messages_pass_in_several_reads():
    one, other = make()
    one.send("setup", path="x" * 150_000)
    messages = []
    while not messages:
        messages = other.receive(1)
    assert len(messages[0]["path"]) == 150_000
    one.close()
    other.close()


def test_a_message_without_end_closes_the_line(monkeypatch):
    monkeypatch.setattr("quart_server.control._LONGEST_MESSAGE_BYTES", 100)
    ours, sock = channel_pair()
    sock.sendall(b"x" * 101)
    assert ours.receive(1) == []
    assert ours.is_closed
    assert isinstance(sock, socket.socket)
    ours.close()
    sock.close()

//! Streams cut into frames, however the network cut them.

use fastrand::Rng;
use papo::limits::FRAME_BYTES_MAX;
use papo::wire::{FrameError, FrameReader};

fn framed(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).expect("a small frame");
    [&length.to_be_bytes(), frame].concat()
}

/// Random frames, small ones mostly, and the stream that they make.
fn stream(rng: &mut Rng, count: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    let frames: Vec<Vec<u8>> = (0..count)
        .map(|_| {
            let length = match rng.u8(0..40) {
                0 => FRAME_BYTES_MAX,
                1 => rng.usize(1..=FRAME_BYTES_MAX),
                _ => rng.usize(1..300),
            };
            let first = rng.u8(..);
            (0..length).map(|i| first.wrapping_add(i as u8)).collect()
        })
        .collect();
    let bytes = frames.iter().flat_map(|f| framed(f)).collect();
    (frames, bytes)
}

fn take_all(reader: &mut FrameReader, into: &mut Vec<Vec<u8>>) {
    while let Some(frame) = reader.next_frame() {
        into.push(frame.expect("a good frame").to_vec());
    }
}

#[test]
fn a_stream_gives_the_same_frames_however_it_is_cut() {
    let mut rng = Rng::with_seed(1);
    for largest_read in [1, 7, 300, 20_000, 200_000] {
        let (frames, bytes) = stream(&mut rng, 200);
        let (mut reader, mut got, mut rest) = (FrameReader::new(), Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let space = reader.space();
            assert!(!space.is_empty() && space.len() <= 2 * (FRAME_BYTES_MAX + 4));
            let n = rng.usize(1..=largest_read).min(space.len()).min(rest.len());
            space[..n].copy_from_slice(&rest[..n]);
            reader.filled(n);
            rest = &rest[n..];
            take_all(&mut reader, &mut got);
        }
        assert!(got == frames, "reads of up to {largest_read} bytes");
        assert_eq!(reader.pending_bytes(), 0);
    }
}

#[test]
fn pushed_bytes_give_the_same_frames() {
    let mut rng = Rng::with_seed(2);
    let (frames, bytes) = stream(&mut rng, 200);
    let (mut reader, mut got, mut rest) = (FrameReader::new(), Vec::new(), &bytes[..]);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rng.usize(1..=5_000).min(rest.len()));
        reader.push(now);
        rest = later;
        // Frames may be left standing.
        if rng.bool() {
            take_all(&mut reader, &mut got);
        }
    }
    take_all(&mut reader, &mut got);
    assert!(got == frames);
}

#[test]
fn frames_left_standing_fill_the_buffer_and_no_more() {
    let bytes = framed(&[7; 100]).repeat(10_000);
    let (mut reader, mut read) = (FrameReader::new(), 0);
    loop {
        let space = reader.space();
        let n = space.len().min(bytes.len() - read);
        if n == 0 {
            break;
        }
        space[..n].copy_from_slice(&bytes[read..read + n]);
        reader.filled(n);
        read += n;
    }
    assert!(read <= 2 * (FRAME_BYTES_MAX + 4));
    let mut got = Vec::new();
    take_all(&mut reader, &mut got);
    assert_eq!(got.len(), read / 104);
    assert!(!reader.space().is_empty());
}

#[test]
fn a_wrong_length_is_an_error_at_once_and_for_ever() {
    let cases = [
        (0, FrameError::Empty),
        (
            FRAME_BYTES_MAX as u32 + 1,
            FrameError::TooLong(FRAME_BYTES_MAX as u32 + 1),
        ),
        (u32::MAX, FrameError::TooLong(u32::MAX)),
    ];
    for (length, error) in cases {
        let mut reader = FrameReader::new();
        reader.push(&framed(b"good"));
        reader.push(&length.to_be_bytes()[..3]);
        assert_eq!(reader.next_frame(), Some(Ok(&b"good"[..])));
        assert_eq!(reader.next_frame(), None);
        reader.push(&length.to_be_bytes()[3..]);
        assert_eq!(reader.next_frame(), Some(Err(error)));
        assert!(reader.space().len() <= 2 * (FRAME_BYTES_MAX + 4));
        assert_eq!(reader.next_frame(), Some(Err(error)));
    }
    let mut reader = FrameReader::new();
    reader.push(&framed(&vec![1; FRAME_BYTES_MAX]));
    assert!(matches!(reader.next_frame(), Some(Ok(frame)) if frame.len() == FRAME_BYTES_MAX));
}

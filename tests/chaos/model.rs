//! A model that takes its time: a server that speaks OpenAI's API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Starts a model whose answers take `length`, a word every 100 ms, and returns its base URL. It
/// serves until the process ends.
pub fn start(length: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A connection that the server has given up is not worth a word.
            std::thread::spawn(move || answer(&stream, length));
        }
    });
    format!("http://{address}/v1")
}

fn answer(mut stream: &TcpStream, length: Duration) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut body_bytes = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(length) = lower.strip_prefix("content-length:") {
            body_bytes = length.trim().parse().unwrap_or(0);
        }
    }
    reader.read_exact(&mut vec![0; body_bytes])?;
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
    )?;
    let begun = Instant::now();
    let chunk = |delta: &str, reason: &str| {
        format!(
            "data: {{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"model\":\"slow\",\"choices\":\
             [{{\"index\":0,\"delta\":{delta},\"finish_reason\":{reason}}}]}}\n\n"
        )
    };
    while begun.elapsed() < length {
        stream.write_all(chunk(r#"{"role":"assistant","content":"word "}"#, "null").as_bytes())?;
        std::thread::sleep(Duration::from_millis(100));
    }
    stream.write_all(chunk("{}", "\"stop\"").as_bytes())?;
    stream.write_all(b"data: [DONE]\n\n")
}

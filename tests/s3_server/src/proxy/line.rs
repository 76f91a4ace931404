//! A connection that can be cut after some bytes, or reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::broken;

/// How a connection ends.
#[derive(Debug)]
pub(super) struct Control {
    /// Bytes that may still be sent.
    left: AtomicU64,
    /// Whether the other side learns of the end at once, by a packet of its own, instead of by the end of the stream.
    resets: AtomicBool,
}

impl Default for Control {
    fn default() -> Self {
        Control { left: AtomicU64::new(u64::MAX), resets: AtomicBool::new(false) }
    }
}

impl Control {
    /// Has the connection reset; gives the error that ends it.
    pub fn reset(&self) -> io::Error {
        self.resets.store(true, Ordering::SeqCst);
        broken()
    }

    /// Has the connection end after so many more bytes.
    pub fn cut_after(&self, n_bytes: u64) {
        self.left.store(n_bytes, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(super) struct Line {
    socket: TcpStream,
    control: Arc<Control>,
}

impl Line {
    pub fn new(socket: TcpStream, control: Arc<Control>) -> Line {
        Line { socket, control }
    }

    fn resets(&self) -> bool {
        self.control.resets.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.resets() {
            // Without it the connection is closed, which is an end, too.
            let _ = self.socket.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.control.left.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Ready(Err(broken()));
        }
        let n_bytes = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let polled = Pin::new(&mut self.socket).poll_write(context, &bytes[..n_bytes]);
        if let Poll::Ready(Ok(n_written)) = polled
            && left != u64::MAX
        {
            self.control.left.store(left - n_written as u64, Ordering::SeqCst);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.resets() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

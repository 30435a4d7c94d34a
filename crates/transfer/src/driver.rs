//! The async driver: moves one endpoint over any `AsyncRead + AsyncWrite`, and serves a listener with it. It
//! polls reading and writing together, so that an early refusal in the middle of a large upload cannot
//! deadlock the two sides. It does not spawn, bind or connect; the lanes do.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::endpoint::{Endpoint, Service};
use crate::record::Recorder;
use faults::{Buffer, ConnectionId, End, Faulty, Flow, Wires};

/// Where connections come from.
pub trait Listener {
    /// What it accepts.
    type Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, and who made it.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Connection, SocketAddr)>> + Send;
}

/// What becomes of the sessions that are under way when a server is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They go on until they end.
    Wait,
    /// They are told, and dropped if they have not ended after so long.
    Within(Duration),
}

/// The time since the run began.
pub trait Clock: Fn() -> Duration + Clone + Send + Unpin + 'static {}
impl<T: Fn() -> Duration + Clone + Send + Unpin + 'static> Clock for T {}

/// Counts the sessions that are under way. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Active(Arc<AtomicUsize>);

impl Active {
    /// Whether no session is under way.
    pub fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Counts one session, until what is returned is dropped: at its end, or with its host.
    fn begin(&self) -> impl Send + use<> {
        struct Counted(Active);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }
}

/// Drives a session for every connection until `stop` is done, and then ends them as `ending` says.
pub async fn serve(
    mut listener: impl Listener,
    service: Arc<dyn Service>,
    wires: Wires,
    active: Active,
    clock: impl Clock,
    stop: impl Future<Output = ()>,
    ending: Ending,
) -> io::Result<()> {
    service.handle_listening(clock());
    let mut sessions = JoinSet::new();
    let (tell, told) = watch::channel(());
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            Some(ended) = sessions.join_next() => conclude(ended, ending),
            accepted = listener.accept() => {
                let ((connection, peer), clock) = (accepted?, clock.clone());
                let mut session = service.accept(clock(), peer.into());
                let connection = wrap(&wires, connection, Flow::ToServer, session.record(), clock.clone());
                let (counted, told) = (active.begin(), told.clone());
                sessions.spawn(async move {
                    drive(connection, &mut *session, clock, Some(told)).await;
                    drop(counted);
                });
            }
            () = &mut stop => break,
        }
    }
    drop(listener);
    end(sessions, tell, ending).await;
    Ok(())
}

/// Ends the sessions that are left.
async fn end(mut sessions: JoinSet<()>, tell: watch::Sender<()>, ending: Ending) {
    let all = async {
        while let Some(ended) = sessions.join_next().await {
            conclude(ended, ending);
        }
    };
    match ending {
        Ending::Wait => all.await,
        Ending::Within(grace) => {
            // Without a single session there is nobody to be told.
            let _ = tell.send(());
            // Those that are left after that are dropped, each with the upload that it had begun.
            let _ = timeout(grace, all).await;
        }
    }
    sessions.shutdown().await;
}

/// A session has ended. In a run, a panic in it must not be swallowed; a server that others use goes on, and the
/// panic has been reported.
fn conclude(ended: Result<(), JoinError>, ending: Ending) {
    if ending == Ending::Wait {
        pass_panic_on(ended);
    }
}

/// A panic in a task would be swallowed.
pub fn pass_panic_on(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A connection that was made, and which one it is.
pub type ConnectResult<C> = io::Result<(C, ConnectionId)>;

/// Connects `clients` one after the other by `open`, and drives them all until each has ended.
pub async fn run_clients<C, F>(
    clients: Vec<Box<dyn Endpoint>>,
    wires: Wires,
    clock: impl Clock,
    open: impl Fn() -> F + Clone + Send + 'static,
) where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = ConnectResult<C>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for client in clients {
        let opened = open().await;
        tasks.spawn(run_client(client, opened, wires.clone(), clock.clone(), open.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        pass_panic_on(ended);
    }
}

/// Drives `client` over `connection`, and over as many more as it wants.
pub async fn run_client<C: AsyncRead + AsyncWrite + Unpin, F: Future<Output = ConnectResult<C>>>(
    mut client: Box<dyn Endpoint>,
    mut opened: ConnectResult<C>,
    wires: Wires,
    clock: impl Clock,
    open: impl Fn() -> F,
) {
    loop {
        match opened {
            Ok((connection, id)) => {
                client.handle_connected(clock(), id);
                let faulty = wrap(&wires, connection, Flow::ToClient, client.record(), clock.clone());
                drive(faulty, &mut *client, clock.clone(), None).await;
            }
            Err(_) => client.handle_end(clock(), End::NotConnected),
        }
        let Some(wait) = client.reconnect() else { return };
        sleep(wait).await;
        opened = open().await;
    }
}

/// Moves `endpoint` over `connection` until both directions have ended, or the endpoint's last deadline has. When
/// `told` changes, the endpoint is told to come to an end.
pub async fn drive(
    connection: impl AsyncRead + AsyncWrite + Unpin,
    endpoint: &mut dyn Endpoint,
    clock: impl Clock,
    told: Option<watch::Receiver<()>>,
) {
    // An error means that there is nobody left who could tell.
    let told =
        told.map(|mut told| -> ShutdownSignal { Box::pin(async move { told.changed().await.is_ok() }) });
    let mut driver = Driver {
        connection,
        endpoint,
        clock,
        inbox: Buffer::default(),
        outbox: Buffer::default(),
        input: Input::Open,
        output_open: true,
        timer: Box::pin(sleep(Duration::ZERO)),
        armed: Duration::MAX,
        told,
    };
    poll_fn(|cx| driver.poll(cx)).await;
}

/// `connection` with the faults that its reader, who keeps this record, meets on it.
fn wrap<C, T: Fn() -> Duration>(
    wires: &Wires,
    connection: C,
    flow: Flow,
    record: &Recorder,
    clock: T,
) -> Faulty<C, T> {
    wires.wrap(connection, flow, record.connection(), record.reader(), clock)
}

/// Whether the endpoint is told to come to an end.
type ShutdownSignal = Pin<Box<dyn Future<Output = bool> + Send>>;

struct Driver<'a, C, T> {
    connection: C,
    endpoint: &'a mut dyn Endpoint,
    clock: T,
    inbox: Buffer,
    outbox: Buffer,
    input: Input,
    output_open: bool,
    timer: Pin<Box<Sleep>>,
    /// The time that the timer is set to; at first, to none.
    armed: Duration,
    /// Until the endpoint is told to come to an end.
    told: Option<ShutdownSignal>,
}

/// The receiving direction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// Nothing more will come, but the endpoint has not taken all that came.
    Ending(End),
    Ended,
}

impl<C: AsyncRead + AsyncWrite + Unpin, T: Clock> Driver<'_, C, T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Read once in each round: asking turmoil for the time costs more than moving a short line.
            let now = (self.clock)();
            self.endpoint.poll_machine(now, Some(cx.waker()));
            let mut moved = self.poll_send(cx, now);
            moved |= self.poll_receive(cx);
            moved |= self.offer(now);
            if !self.output_open && self.input == Input::Ended {
                return Poll::Ready(());
            }
            if !moved && !self.poll_told(cx, now) {
                let was_closed = self.endpoint.is_closed();
                ready!(self.poll_timer(cx, now));
                if was_closed {
                    // The peer had its time to end its side too.
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Writes what the endpoint has to send, and ends the direction when it has said its last word.
    fn poll_send(&mut self, cx: &mut Context<'_>, now: Duration) -> bool {
        if !self.output_open {
            return false;
        }
        if self.transmit(now) {
            return match Pin::new(&mut self.connection).poll_write(cx, self.outbox.filled()) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.outbox.consume(count);
                    true
                }
                Poll::Ready(_) => self.break_off(now),
                Poll::Pending => false,
            };
        }
        if !self.endpoint.is_closed() {
            return false;
        }
        // An error here means that the peer is gone already, which is as good.
        let ended = Pin::new(&mut self.connection).poll_shutdown(cx).is_ready();
        self.output_open = !ended;
        ended
    }

    /// Gets what the endpoint has to send, if it may. Says whether there is anything.
    fn transmit(&mut self, now: Duration) -> bool {
        if self.output_open && self.outbox.is_empty() {
            self.endpoint.poll_transmit(now, &mut self.outbox);
        }
        !self.outbox.is_empty()
    }

    /// Reads what has come, if there is space for it.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> bool {
        if self.input != Input::Open || self.inbox.is_full() {
            return false;
        }
        if self.endpoint.is_closed() {
            self.endpoint.record().leave();
        }
        let mut buffer = ReadBuf::new(self.inbox.spare());
        let end = match Pin::new(&mut self.connection).poll_read(cx, &mut buffer) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) => {
                let count = buffer.filled().len();
                self.inbox.fill(count);
                if count > 0 {
                    return true;
                }
                End::Finished
            }
            Poll::Ready(Err(_)) => End::Broken,
        };
        self.input = Input::Ending(end);
        true
    }

    /// Offers to the endpoint what has come. Says whether it took anything.
    fn offer(&mut self, now: Duration) -> bool {
        if self.endpoint.is_closed() {
            self.inbox.consume(self.inbox.filled().len());
        }
        let mut used = 0;
        if !self.inbox.is_empty() {
            used = self.endpoint.handle_input(now, self.inbox.filled());
            self.inbox.consume(used);
        }
        if used == 0
            && self.outbox.is_empty()
            && let Input::Ending(end) = self.input
        {
            // What the endpoint still has to say goes first: how far it has come with that is chance.
            if self.transmit(now) {
                return true;
            }
            self.input = Input::Ended;
            self.endpoint.handle_end(now, end);
            return true;
        }
        used > 0
    }

    /// Writing failed. What the peer said before it went away may still be there to be read.
    fn break_off(&mut self, now: Duration) -> bool {
        self.outbox.consume(self.outbox.filled().len());
        self.output_open = false;
        if self.input == Input::Ended {
            self.endpoint.handle_end(now, End::Broken);
        }
        true
    }

    /// Passes on to the endpoint that it is to come to an end. Says whether it was told so now.
    fn poll_told(&mut self, cx: &mut Context<'_>, now: Duration) -> bool {
        let Some(told) = &mut self.told else { return false };
        let Poll::Ready(told) = told.as_mut().poll(cx) else { return false };
        self.told = None;
        if told {
            self.endpoint.handle_shutdown(now);
        }
        told
    }

    /// Waits for the endpoint's next deadline.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Duration) -> Poll<()> {
        let Some(expires) = self.endpoint.poll_timeout() else { return Poll::Pending };
        // Every move puts the deadline off. To set the timer each time would cost more than the move: it is
        // set when the deadline comes nearer, and else goes off too early and is then set anew.
        if expires < self.armed {
            self.arm(now, expires);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if self.armed == expires {
                self.endpoint.handle_timeout(expires.max(now));
                return Poll::Ready(());
            }
            self.arm(now, expires);
            // This comes once in the length of a deadline. Who has been busy since then will grow them again.
            self.inbox.shrink();
            self.outbox.shrink();
        }
        Poll::Pending
    }

    fn arm(&mut self, now: Duration, expires: Duration) {
        self.armed = expires;
        self.timer.as_mut().reset(Instant::now() + expires.saturating_sub(now));
    }
}

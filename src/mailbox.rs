//! The connection between the loop and a service: requests go out, answers come back.
//!
//! A service does slow work on its own thread. The loop [submits](Mailbox::submit) requests and never blocks. The
//! thread takes them one at a time ([`Mailbox::next`]), answers them ([`Mailbox::answer`]) and wakes the loop, which
//! [polls](Mailbox::poll_answer) the answers. Neither side holds the lock for longer than it takes to put something in
//! or take it out.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Answers that may wait for the loop before the thread takes only jobs with small answers.
const ANSWERS: usize = 64;

/// The types of a service.
pub trait Service {
    /// The work that the thread does.
    type Request;
    /// The kind of a request; part of its [`Ticket`].
    type Asked: Copy + Eq + fmt::Debug;
    /// The result of a request.
    type Verdict;
    /// The party that a request counts against.
    type Origin;
    /// The requests that wait.
    type Queue: Queue<Self>;
    /// Settings that the thread gets with each request.
    type Settings: Clone;
    /// The verdict for a request that was taken out of a full queue in favour of another.
    const DISPLACED: Self::Verdict;
    /// The verdict for all requests that are unanswered when the thread ends early.
    const LOST: Self::Verdict;

    /// The kind of `request`.
    fn asked(request: &Self::Request) -> Self::Asked;
}

/// The order in which requests wait, and how many may.
pub trait Queue<S: Service + ?Sized> {
    /// Adds a job and gives the job that had to make room for it, if one had to.
    ///
    /// # Errors
    /// There is no room; the job comes back.
    fn push(&mut self, origin: S::Origin, job: Job<S>) -> Result<Option<Job<S>>, Job<S>>;
    /// Takes the next job.
    fn pop(&mut self) -> Option<Job<S>>;
    /// Takes the next job whose answer takes no memory, while many answers wait for the loop.
    fn pop_small(&mut self) -> Option<Job<S>> {
        self.pop()
    }
    /// Takes out the job with this number; `None` if it is not in the queue.
    fn remove(&mut self, number: u64) -> Option<Job<S>>;
    /// The number of jobs in the queue.
    fn waiting(&self) -> usize;
}

/// Identifies a request, and says what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket<A> {
    /// The caller's number for the request. No two unanswered requests have the same one.
    pub number: u64,
    /// The kind of the request.
    pub asked: A,
}

/// The verdict on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<A, V> {
    /// The request.
    pub ticket: Ticket<A>,
    /// Its result.
    pub verdict: V,
}

/// A request with its ticket.
pub struct Job<S: Service + ?Sized> {
    /// The ticket that the answer has to carry.
    pub ticket: Ticket<S::Asked>,
    /// The work.
    pub request: S::Request,
}

/// The queue has no room for the request, or the mailbox is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Wakes the loop. All services share one waker; clones wake the same loop.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// A waker that calls `wake`, on the thread that has the answer. `wake` must not block.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// Wakes the loop.
    pub fn wake(&self) {
        (self.0)();
    }
}

/// The result when the service's thread asks for work.
pub enum Next<S: Service> {
    /// A request, and the current settings.
    Job(Job<S>, S::Settings),
    /// No request waits.
    Idle,
    /// The mailbox is closed. Requests that wait are dropped.
    Closed,
}

/// The requests and the answers of one service.
pub struct Mailbox<S: Service> {
    state: Mutex<State<S>>,
    /// Signalled when a request arrives and when the mailbox closes.
    bell: Condvar,
    waker: Waker,
}

struct State<S: Service> {
    queue: S::Queue,
    /// Requests that the thread has taken and not answered yet.
    under_way: Vec<Ticket<S::Asked>>,
    answers: VecDeque<Answer<S::Asked, S::Verdict>>,
    settings: S::Settings,
    is_open: bool,
    /// The thread has ended early, and [`Mailbox::poll_loss`] has not said so yet.
    is_lost: bool,
}

impl<S: Service> Mailbox<S> {
    /// An open mailbox. `waker` is called whenever there are answers to poll.
    pub fn new(queue: S::Queue, settings: S::Settings, waker: Waker) -> Self {
        let (under_way, answers) = (Vec::new(), VecDeque::new());
        let state = State { queue, under_way, answers, settings, is_open: true, is_lost: false };
        Self { state: Mutex::new(state), bell: Condvar::new(), waker }
    }

    /// Queues a request under `number`. It may displace another one, which is answered [`Service::DISPLACED`].
    ///
    /// # Errors
    /// [`Full`]; the request is dropped, and no answer comes.
    pub fn submit(&self, origin: S::Origin, number: u64, request: S::Request) -> Result<(), Full> {
        let ticket = Ticket { number, asked: S::asked(&request) };
        let mut state = self.lock();
        if !state.is_open {
            return Err(Full);
        }
        let pushed = state.queue.push(origin, Job { ticket, request });
        if let Ok(Some(Job { ticket, .. })) = pushed {
            state.answers.push_back(Answer { ticket, verdict: S::DISPLACED });
        }
        // Requests that did not fit are dropped, and their secrets wiped, outside the lock.
        drop(state);
        let displaced = pushed.map_err(|_| Full)?;
        self.bell.notify_one();
        if displaced.is_some() {
            self.waker.wake();
        }
        Ok(())
    }

    /// Withdraws a request. False if it is not in the queue (any more).
    pub fn cancel(&self, number: u64) -> bool {
        let removed = self.lock().queue.remove(number);
        removed.is_some()
    }

    /// The next answer, if there is one.
    pub fn poll_answer(&self) -> Option<Answer<S::Asked, S::Verdict>> {
        let mut state = self.lock();
        let answer = state.answers.pop_front();
        if answer.is_some() && state.answers.len() + 1 == ANSWERS {
            self.bell.notify_all(); // the thread may go on
        }
        answer
    }

    /// Whether the thread has [ended early](Mailbox::give_up); true once.
    pub fn poll_loss(&self) -> bool {
        std::mem::take(&mut self.lock().is_lost)
    }

    /// The number of requests in the queue.
    pub fn waiting(&self) -> usize {
        self.lock().queue.waiting()
    }

    /// Changes the settings for all requests that the thread has not taken yet, and the queue by `change`.
    pub fn reconfigure(&self, settings: S::Settings, change: impl FnOnce(&mut S::Queue)) {
        let mut state = self.lock();
        state.settings = settings;
        change(&mut state.queue);
    }

    /// Closes the mailbox. The thread finishes what it has taken and ends.
    pub fn close(&self) {
        self.lock().is_open = false;
        self.bell.notify_all();
    }

    /// The thread's call: the next request. With `may_sleep` it waits for one.
    pub fn next(&self, may_sleep: bool) -> Next<S> {
        self.next_within((!may_sleep).then_some(Duration::ZERO))
    }

    /// The thread's call: the next request. It waits for one for this time, about; `None` means without end.
    pub fn next_within(&self, patience: Option<Duration>) -> Next<S> {
        let mut left = patience;
        let mut state = self.lock();
        loop {
            if !state.is_open {
                return Next::Closed;
            }
            let is_ahead = state.answers.len() >= ANSWERS;
            let job = if is_ahead { state.queue.pop_small() } else { state.queue.pop() };
            if let Some(job) = job {
                state.under_way.push(job.ticket);
                return Next::Job(job, state.settings.clone());
            }
            state = match left {
                Some(Duration::ZERO) => return Next::Idle,
                None => self.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    let (state, waited) = self.bell.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
                    left = left.filter(|_| !waited.timed_out()).or(Some(Duration::ZERO));
                    state
                }
            };
        }
    }

    /// The thread's call: wakes the loop, which has something other than answers to look at.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// The thread's call: hands in answers, and wakes the loop if there are any to poll.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer<S::Asked, S::Verdict>>) {
        let mut state = self.lock();
        for answer in answers {
            state.under_way.retain(|ticket| *ticket != answer.ticket);
            state.answers.push_back(answer);
        }
        let has_answers = !state.answers.is_empty();
        drop(state);
        if has_answers {
            self.waker.wake();
        }
    }

    /// The thread's last call when it ends early: answers every open request [`Service::LOST`], takes no more, and
    /// wakes the loop.
    pub fn give_up(&self) {
        let mut state = self.lock();
        (state.is_open, state.is_lost) = (false, true);
        let mut tickets = std::mem::take(&mut state.under_way);
        tickets.extend(std::iter::from_fn(|| state.queue.pop()).map(|job| job.ticket));
        state.answers.extend(tickets.into_iter().map(|ticket| Answer { ticket, verdict: S::LOST }));
        drop(state);
        self.waker.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        // A panic cannot leave the state half changed, because each change is one call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Doubles numbers. A request to double 0 displaces the newest other one from a full queue.
    struct Doubler;

    struct Fifo(VecDeque<Job<Doubler>>);

    impl Service for Doubler {
        type Request = u32;
        type Asked = bool;
        type Verdict = Option<u32>;
        type Origin = ();
        type Queue = Fifo;
        type Settings = u32;
        const DISPLACED: Option<u32> = None;
        const LOST: Option<u32> = Some(0);

        fn asked(request: &u32) -> bool {
            *request == 0
        }
    }

    impl Queue<Doubler> for Fifo {
        fn push(&mut self, (): (), job: Job<Doubler>) -> Result<Option<Job<Doubler>>, Job<Doubler>> {
            let displaced = match (self.0.len(), job.request) {
                (0..2, _) => None,
                (_, 0) => self.0.pop_back(),
                _ => return Err(job),
            };
            self.0.push_back(job);
            Ok(displaced)
        }

        fn pop(&mut self) -> Option<Job<Doubler>> {
            self.0.pop_front()
        }

        fn pop_small(&mut self) -> Option<Job<Doubler>> {
            let at = self.0.iter().position(|job| job.request == 0)?;
            self.0.remove(at)
        }

        fn remove(&mut self, number: u64) -> Option<Job<Doubler>> {
            let at = self.0.iter().position(|job| job.ticket.number == number)?;
            self.0.remove(at)
        }

        fn waiting(&self) -> usize {
            self.0.len()
        }
    }

    fn mailbox() -> (Mailbox<Doubler>, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&wakes);
        let waker = Waker::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        (Mailbox::new(Fifo(VecDeque::new()), 2, waker), wakes)
    }

    fn work(mailbox: &Mailbox<Doubler>) {
        while let Next::Job(Job { ticket, request }, factor) = mailbox.next(false) {
            mailbox.answer([Answer { ticket, verdict: Some(request * factor) }]);
        }
    }

    /// The answers in their order: the number, what was asked, the verdict.
    #[track_caller]
    fn check(mailbox: &Mailbox<Doubler>, expected: &[(u64, bool, Option<u32>)]) {
        let answers = std::iter::from_fn(|| mailbox.poll_answer());
        let found: Vec<_> = answers.map(|it| (it.ticket.number, it.ticket.asked, it.verdict)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_thread_waits_for_so_long_and_no_longer() {
        let (mailbox, _) = mailbox();
        assert!(matches!(mailbox.next_within(Some(Duration::from_millis(1))), Next::Idle));
        mailbox.submit((), 1, 21).unwrap();
        assert!(matches!(mailbox.next_within(Some(Duration::from_secs(3_600))), Next::Job(..)));
    }

    #[test]
    fn a_request_comes_back_with_what_was_asked() {
        let (mailbox, wakes) = mailbox();
        mailbox.submit((), 7, 21).unwrap();
        mailbox.submit((), 8, 0).unwrap();
        assert_eq!((mailbox.waiting(), mailbox.submit((), 9, 1)), (2, Err(Full)));
        work(&mailbox);
        check(&mailbox, &[(7, false, Some(42)), (8, true, Some(0))]);
        assert_eq!((mailbox.waiting(), wakes.load(Ordering::Relaxed)), (0, 2));
    }

    #[test]
    fn a_displaced_request_is_answered_and_a_cancelled_one_is_not() {
        let (mailbox, wakes) = mailbox();
        mailbox.submit((), 1, 1).unwrap();
        mailbox.submit((), 2, 2).unwrap();
        mailbox.submit((), 3, 0).unwrap();
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert!(mailbox.cancel(1) && !mailbox.cancel(1) && !mailbox.cancel(2));
        work(&mailbox);
        check(&mailbox, &[(2, false, None), (3, true, Some(0))]);
    }

    #[test]
    fn a_thread_that_is_far_ahead_waits_for_the_loop() {
        let (mailbox, _) = mailbox();
        let answers = (0..ANSWERS as u64).map(|number| Ticket { number: 1_000 + number, asked: false });
        mailbox.answer(answers.map(|ticket| Answer { ticket, verdict: None }));
        mailbox.submit((), 1, 21).unwrap();
        mailbox.submit((), 2, 0).unwrap();
        assert!(matches!(mailbox.next(false), Next::Job(job, _) if job.ticket.number == 2), "its answer is small");
        assert!(matches!(mailbox.next(false), Next::Idle));
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| matches!(mailbox.next(true), Next::Job(job, _) if job.ticket.number == 1));
            assert!(mailbox.poll_answer().is_some());
            assert!(thread.join().unwrap());
        });
    }

    #[test]
    fn settings_hold_for_what_is_not_taken_yet() {
        let (mailbox, _) = mailbox();
        mailbox.submit((), 1, 5).unwrap();
        mailbox.reconfigure(3, |_| {});
        work(&mailbox);
        check(&mailbox, &[(1, false, Some(15))]);
    }

    #[test]
    fn a_closed_mailbox_takes_and_gives_no_request() {
        let (mailbox, _) = mailbox();
        mailbox.submit((), 1, 5).unwrap();
        mailbox.close();
        assert_eq!(mailbox.submit((), 2, 5), Err(Full));
        assert!(matches!(mailbox.next(true), Next::Closed) && !mailbox.poll_loss());
    }

    #[test]
    fn a_thread_that_gives_up_answers_all() {
        let (mailbox, wakes) = mailbox();
        mailbox.submit((), 1, 5).unwrap();
        mailbox.submit((), 2, 0).unwrap();
        assert!(matches!(mailbox.next(false), Next::Job(_, 2)));
        mailbox.give_up();
        check(&mailbox, &[(1, false, Some(0)), (2, true, Some(0))]);
        assert_eq!((wakes.load(Ordering::Relaxed), mailbox.poll_loss(), mailbox.poll_loss()), (1, true, false));
        assert_eq!(mailbox.submit((), 3, 5), Err(Full));
    }
}

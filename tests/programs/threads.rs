//! Rust's threads as a program uses them: scoped threads, channels, Mutex, RwLock, Condvar, Barrier, Once, park, sleep, thread_local objects,
//! panics that end one thread and poison its lock, and sockets between threads. Its runtime waits by futex calls through libc's syscall().
//! Prints what must be the same in every run.
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Local(Cell<usize>);

impl Drop for Local {
    fn drop(&mut self) {
        DROPPED.fetch_add(self.0.get(), Ordering::SeqCst);
    }
}

thread_local! {
    static LOCAL: Local = const { Local(Cell::new(0)) };
}

fn locks() {
    let sum = Mutex::new(0);
    let table = RwLock::new(vec![0usize; 8]);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for i in 0..8 {
            let (sum, table) = (&sum, &table);
            threads.push(scope.spawn(move || {
                LOCAL.with(|local| local.0.set(1));
                for _ in 0..1000 {
                    *sum.lock().unwrap() += 1;
                }
                thread::sleep(Duration::from_millis(2));
                table.write().unwrap()[i] = i;
                while table.read().unwrap().iter().sum::<usize>() < 28 {
                    thread::yield_now();
                }
            }));
        }
        /* The end of a scope does not wait for the thread_locals. */
        threads.into_iter().for_each(|one| one.join().unwrap());
    });
    println!("mutex {}, table {:?}", sum.into_inner().unwrap(), table.into_inner().unwrap());
}

fn conditions() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let players: Vec<_> = (0..2)
        .map(|me| {
            let pair = Arc::clone(&pair);
            thread::spawn(move || {
                for round in 0..500 {
                    let (turn, changed) = &*pair;
                    let mut turn = changed.wait_while(turn.lock().unwrap(), |turn| *turn % 2 != me).unwrap();
                    assert_eq!(*turn, round * 2 + me);
                    *turn += 1;
                    changed.notify_one();
                }
            })
        })
        .collect();
    for player in players {
        player.join().unwrap();
    }
    let (turn, changed) = &*pair;
    let began = Instant::now();
    let (turn, late) = changed.wait_timeout_while(turn.lock().unwrap(), Duration::from_millis(20), |_| true).unwrap();
    println!("turns {}, timed out {}, not too soon {}", *turn, late.timed_out(), began.elapsed() >= Duration::from_millis(20));
}

fn channels() {
    let (numbers, sums) = (mpsc::sync_channel::<u64>(4), mpsc::channel::<u64>());
    let take = Arc::new(Mutex::new(numbers.1));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (take, give) = (Arc::clone(&take), sums.0.clone());
            thread::spawn(move || loop {
                let next = take.lock().unwrap().recv();
                match next {
                    Ok(n) => give.send(n * n).unwrap(),
                    Err(_) => break,
                }
            })
        })
        .collect();
    drop(sums.0);
    for n in 1..=1000 {
        numbers.0.send(n).unwrap();
    }
    drop(numbers.0);
    println!("squares {}", sums.1.iter().sum::<u64>());
    for worker in workers {
        worker.join().unwrap();
    }
    let (_keep, never) = mpsc::channel::<()>();
    println!("nothing in time: {:?}", never.recv_timeout(Duration::from_millis(5)));
}

fn parking() {
    let gate = Arc::new(AtomicBool::new(false));
    let waits = {
        let gate = Arc::clone(&gate);
        thread::spawn(move || {
            while !gate.load(Ordering::SeqCst) {
                thread::park();
            }
            thread::park_timeout(Duration::from_millis(3));
            "let through"
        })
    };
    gate.store(true, Ordering::SeqCst);
    waits.thread().unpark();
    let (meet, once) = (Barrier::new(5), Once::new());
    let leaders = AtomicUsize::new(0);
    let firsts = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                once.call_once(|| {
                    thread::sleep(Duration::from_millis(2));
                    firsts.fetch_add(1, Ordering::SeqCst);
                });
                for _ in 0..20 {
                    if meet.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    println!("{}, leaders {}, once {}", waits.join().unwrap(), leaders.into_inner(), firsts.into_inner());
}

fn panics() {
    let lock = Arc::new(Mutex::new(1));
    let fails = {
        let lock = Arc::clone(&lock);
        thread::Builder::new()
            .name("fails".into())
            .spawn(move || {
                let _held = lock.lock().unwrap();
                thread::sleep(Duration::from_millis(2));
                panic!("on purpose");
            })
            .unwrap()
    };
    let why = fails.join().unwrap_err();
    println!("it said {:?}, poisoned {}", why.downcast_ref::<&str>(), lock.is_poisoned());
    let caught = thread::spawn(|| {
        std::panic::catch_unwind(|| {
            thread::yield_now();
            panic!("caught");
        })
        .is_err()
    });
    println!("caught {}", caught.join().unwrap());
}

fn sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let each: Vec<_> = (0..20)
            .map(|_| {
                let (mut peer, _) = listener.accept().unwrap();
                thread::spawn(move || {
                    let mut all = Vec::new();
                    peer.read_to_end(&mut all).unwrap();
                    peer.write_all(&all).unwrap();
                })
            })
            .collect();
        each.into_iter().for_each(|one| one.join().unwrap());
    });
    let clients: Vec<_> = (0..20u8)
        .map(|i| {
            thread::spawn(move || {
                let mut peer = TcpStream::connect(address).unwrap();
                peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                peer.write_all(&vec![i; 10000]).unwrap();
                peer.shutdown(std::net::Shutdown::Write).unwrap();
                let mut back = Vec::new();
                peer.read_to_end(&mut back).unwrap();
                back.len() == 10000 && back.iter().all(|&b| b == i)
            })
        })
        .collect();
    println!("answers right: {}", clients.into_iter().all(|c| c.join().unwrap()));
    server.join().unwrap();
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    locks();
    println!("thread_locals dropped: {}", DROPPED.load(Ordering::SeqCst));
    conditions();
    channels();
    parking();
    panics();
    sockets();
}

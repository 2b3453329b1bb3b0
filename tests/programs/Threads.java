/* What a Java program does with threads: a connection each, a pool, a monitor that all want, a parallel sum, an interrupt, an overflow of
 * the stack, a collection of garbage, a child. Prints the same each time. */
import java.io.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class Threads {
	static final int CLIENTS = 200, LINES = 50, ADDERS = 20, EACH = 10000;
	static int counter;

	static void serve(Socket connection) {
		try (connection) {
			byte[] some = new byte[1000];
			for (int n; (n = connection.getInputStream().read(some)) > 0;)
				connection.getOutputStream().write(new String(some, 0, n).toUpperCase().getBytes());
		} catch (IOException gone) {
		}
	}

	static void accept(ServerSocket listener) {
		try {
			while (true) {
				Socket connection = listener.accept();
				new Thread(() -> serve(connection)).start();
			}
		} catch (IOException closed) {
		}
	}

	static int ask(ServerSocket listener, int client) throws IOException {
		int right = 0;
		try (Socket s = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
			for (int i = 0; i < LINES; i++) {
				String line = "hello " + client + " " + i;
				s.getOutputStream().write(line.getBytes());
				if (new String(s.getInputStream().readNBytes(line.length())).equals(line.toUpperCase()))
					right++;
			}
		}
		return right;
	}

	static void echo() throws Exception {
		ServerSocket listener = new ServerSocket(0, CLIENTS, InetAddress.getLoopbackAddress());
		Thread accepting = new Thread(() -> accept(listener));
		accepting.start();
		ExecutorService pool = Executors.newFixedThreadPool(50);
		List<Future<Integer>> answers = new ArrayList<>();
		for (int i = 0; i < CLIENTS; i++) {
			int client = i;
			answers.add(pool.submit(() -> ask(listener, client)));
		}
		int right = 0;
		for (Future<Integer> answer : answers)
			right += answer.get();
		pool.shutdown();
		System.out.println("echoed " + right + ", pool ended " + pool.awaitTermination(60, TimeUnit.SECONDS));
		listener.close();
		accepting.join();
	}

	static synchronized void add() {
		counter++;
	}

	static void monitor() throws Exception {
		Thread[] adders = new Thread[ADDERS];
		for (int i = 0; i < ADDERS; i++) {
			adders[i] = new Thread(() -> IntStream.range(0, EACH).forEach(n -> add()));
			adders[i].start();
		}
		for (Thread adder : adders)
			adder.join();
		System.out.println("counted " + counter);
	}

	static void interrupt() throws Exception {
		Thread sleeper = new Thread(() -> {
			try {
				Thread.sleep(1000000);
			} catch (InterruptedException wanted) {
				System.out.println("interrupted");
			}
		});
		sleeper.start();
		sleeper.interrupt();
		sleeper.join();
	}

	static int deep(int n) {
		return deep(n + 1) + 1;
	}

	static void overflow() {
		try {
			deep(0);
		} catch (StackOverflowError wanted) {
			System.out.println("overflow");
		}
	}

	static void garbage() {
		byte[][] kept = new byte[1000][];
		for (int i = 0; i < 20000; i++)
			kept[i % kept.length] = new byte[10000];
		System.gc();
		System.out.println("collected");
	}

	static void child() throws Exception {
		Process process = new ProcessBuilder("echo", "child").start();
		System.out.println(new BufferedReader(new InputStreamReader(process.getInputStream())).readLine() + " " + process.waitFor());
	}

	public static void main(String[] arguments) throws Exception {
		echo();
		monitor();
		System.out.println("sum " + LongStream.range(0, 5_000_000).parallel().map(n -> n * n % 7).sum());
		interrupt();
		overflow();
		garbage();
		child();
	}
}

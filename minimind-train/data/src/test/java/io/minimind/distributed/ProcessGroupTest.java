package io.minimind.distributed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.distributed.Membership.Timeouts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class ProcessGroupTest {

  @TempDir Path folder;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void eachLearnsWhatAllSay(int size) throws Exception {
    List<List<String>> heard =
        Ranks.run(
            size,
            group -> {
              assertFalse(group.any(false));
              assertTrue(group.any(group.isLast()));
              return group.gather(bytes("from " + group.rank())).stream()
                  .map(one -> new String(one, StandardCharsets.UTF_8))
                  .toList();
            });
    for (List<String> one : heard) {
      assertEquals(size, one.size());
      assertEquals("from " + (size - 1), one.get(size - 1));
    }
  }

  /** More than the buffers between two processes take, in both directions at the same time. */
  @Test
  void whatGoesThroughTheRowComesBack() throws Exception {
    byte[] sent = new byte[20_000_000];
    new Random(1).nextBytes(sent);
    Ranks.run(
        3,
        group -> {
          ByteBuffer there = ByteBuffer.allocateDirect(sent.length);
          ByteBuffer back = ByteBuffer.allocateDirect(sent.length);
          FutureTask<Boolean> backwards =
              Ranks.start(
                  () -> {
                    if (!group.isLast()) {
                      group.receiveFromNext(back);
                    }
                    return true;
                  });
          if (group.isFirst()) {
            there.put(sent);
          } else {
            group.receiveFromPrevious(there);
          }
          if (!group.isLast()) {
            group.sendToNext(there.flip());
            assertTrue(backwards.get());
          } else {
            back.put(there.flip());
          }
          if (!group.isFirst()) {
            group.sendToPrevious(back.flip());
          }
          byte[] found = new byte[sent.length];
          back.get(0, found);
          assertArrayEquals(sent, found);
          return true;
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void filesOfTheFirstReachAll(int size) throws Exception {
    Path from = Files.createDirectories(folder.resolve("from"));
    byte[] large = new byte[3_500_000];
    new Random(2).nextBytes(large);
    Files.write(from.resolve("large"), large);
    Files.createDirectories(from.resolve("below"));
    Files.write(from.resolve("below/empty"), new byte[0]);
    Files.writeString(from.resolve("below/ü"), "small");
    List<Path> files = List.of(Path.of("below", "ü"), Path.of("large"), Path.of("below", "empty"));
    List<Path> found =
        Ranks.run(
            size,
            group -> {
              Path to = folder.resolve("from/../to" + group.rank());
              if (group.isFirst()) {
                group.send(from, files);
                return from;
              }
              group.receive(to);
              return to;
            });
    for (Path to : found) {
      assertArrayEquals(large, Files.readAllBytes(to.resolve("large")));
      assertEquals("small", Files.readString(to.resolve("below/ü")));
      assertEquals(0, Files.size(to.resolve("below/empty")));
    }
  }

  /** Whatever another process waits for, and whoever stops. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void oneThatStopsStopsAllWithItsSentence(int stopping) throws Exception {
    List<FutureTask<Object>> ranks =
        Ranks.started(
            3,
            group -> {
              if (group.rank() == stopping) {
                IOException full = new IOException("The disk is full.");
                group.abort(full);
                throw full;
              }
              return waitForOthers(group);
            });
    for (int rank = 0; rank < 3; rank++) {
      String sentence = Ranks.failure(ranks.get(rank));
      if (rank == stopping) {
        assertEquals("The disk is full.", sentence);
      } else {
        assertTrue(sentence.startsWith("Rank " + stopping + " ("), sentence);
        assertTrue(sentence.endsWith(") stopped all: The disk is full."), sentence);
      }
    }
  }

  private static Object waitForOthers(ProcessGroup group) {
    ByteBuffer room = ByteBuffer.allocateDirect(10_000_000);
    if (group.isFirst()) {
      group.receiveFromNext(room);
    } else if (group.isLast()) {
      return group.gather(new byte[0]);
    } else {
      group.receiveFromPrevious(room);
    }
    return true;
  }

  @Test
  void oneThatLeavesTooEarlyIsNamed() throws Exception {
    List<FutureTask<Object>> ranks =
        Ranks.started(2, group -> group.isLast() ? true : group.gather(new byte[0]));
    assertEquals(true, ranks.get(1).get());
    String sentence = Ranks.failure(ranks.get(0));
    assertTrue(sentence.matches("Rank 1 \\(.*\\) has ended before this process\\."), sentence);
  }

  /** Nothing is lost when the first has done its work long before the others. */
  @Test
  void theyLetGoOfEachOtherInAnyOrder() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    List<FutureTask<Integer>> ranks =
        Ranks.started(
            3,
            group -> {
              byte[] large = new byte[1_000_000];
              if (!group.isFirst()) {
                first.await();
              }
              FutureTask<List<byte[]>> all = Ranks.start(() -> group.gather(large));
              first.countDown();
              return all.get().size();
            });
    for (FutureTask<Integer> rank : ranks) {
      assertEquals(3, rank.get());
    }
  }

  private static final Timeouts SHORT = new Timeouts(Duration.ofSeconds(2), Duration.ofSeconds(1));

  @Test
  void oneThatNeverComesIsNamed() throws IOException {
    int port = Ranks.freePort();
    FutureTask<ProcessGroup> first =
        Ranks.start(() -> ProcessGroup.join(Ranks.member(0, 3, port, SHORT)));
    FutureTask<ProcessGroup> third =
        Ranks.start(() -> ProcessGroup.join(Ranks.member(2, 3, port, SHORT)));
    String sentence = "Of 3 processes, 1 did not come within 2 seconds: rank 1.";
    assertEquals(sentence, Ranks.failure(first));
    assertEquals(sentence, Ranks.failure(third));
  }

  @Test
  void aFirstThatNeverComesIsMissed() throws IOException {
    int port = Ranks.freePort();
    String sentence =
        Ranks.failure(Ranks.start(() -> ProcessGroup.join(Ranks.member(1, 2, port, SHORT))));
    assertTrue(sentence.startsWith("Rank 0 was not found at localhost, port " + port), sentence);
  }

  @Test
  void oneThatComesLateIsWaitedFor() throws Exception {
    int port = Ranks.freePort();
    FutureTask<Integer> second =
        Ranks.start(
            () -> {
              try (ProcessGroup group =
                  ProcessGroup.join(Ranks.member(1, 2, port, Ranks.TIMEOUTS))) {
                return group.size();
              }
            });
    try (ProcessGroup group = ProcessGroup.join(Ranks.member(0, 2, port, Ranks.TIMEOUTS))) {
      assertEquals(2, group.size());
    }
    assertEquals(2, second.get());
  }

  @Test
  void whoeverDoesNotBelongThereIsToldSoAndEndsAll() throws Exception {
    for (Membership wrong :
        List.of(Ranks.member(1, 3, 1, Ranks.TIMEOUTS), Ranks.member(2, 4, 1, Ranks.TIMEOUTS))) {
      int port = Ranks.freePort();
      FutureTask<ProcessGroup> first =
          Ranks.start(() -> ProcessGroup.join(Ranks.member(0, 3, port, Ranks.TIMEOUTS)));
      Timeouts hasty = new Timeouts(Duration.ofSeconds(5), Duration.ofSeconds(20));
      FutureTask<ProcessGroup> second =
          Ranks.start(() -> ProcessGroup.join(Ranks.member(1, 3, port, hasty)));
      FutureTask<ProcessGroup> third =
          Ranks.start(
              () ->
                  ProcessGroup.join(
                      Ranks.member(wrong.rank(), wrong.size(), port, Ranks.TIMEOUTS)));
      String sentence = Ranks.failure(first);
      assertTrue(
          sentence.startsWith("Two processes were told that they are rank 1, on ")
              || sentence.startsWith("Rank 2 (") && sentence.contains("told of 4 processes"),
          sentence);
      assertEquals(sentence, Ranks.failure(third));
      // One that comes when all is over finds nobody.
      String ofSecond = Ranks.failure(second);
      assertTrue(
          ofSecond.equals(sentence) || ofSecond.startsWith("Rank 0 was not found"), ofSecond);
    }
  }

  @Test
  void anotherVersionEndsAll() throws Exception {
    int port = Ranks.freePort();
    FutureTask<ProcessGroup> first =
        Ranks.start(() -> ProcessGroup.join(Ranks.member(0, 2, port, Ranks.TIMEOUTS)));
    FutureTask<ProcessGroup> second =
        Ranks.start(() -> new Rendezvous(Ranks.member(1, 2, port, Ranks.TIMEOUTS), "0.0.1").join());
    String sentence = Ranks.failure(first);
    assertTrue(
        sentence.matches("Rank 1 \\(.*\\) runs another version of MiniMind than rank 0 .*"),
        sentence);
    assertEquals(sentence, Ranks.failure(second));
  }

  @Test
  void theFirstAloneLearnsWhatIsCollected() throws Exception {
    List<List<byte[]>> heard = Ranks.run(3, group -> group.collect(bytes("from " + group.rank())));
    assertEquals(3, heard.get(0).size());
    assertEquals("from 2", new String(heard.get(0).get(2), StandardCharsets.UTF_8));
    assertEquals(List.of(), heard.get(1));
    assertEquals(List.of(), heard.get(2));
  }

  @Test
  void aFolderIsSharedWhereAllSeeTheSame() throws Exception {
    Path own = Files.createDirectories(folder.resolve("own"));
    assertEquals(List.of(true, true, true), Ranks.run(3, group -> group.isShared(folder)));
    assertEquals(
        List.of(false, false, false),
        Ranks.run(3, group -> group.isShared(group.isLast() ? own : folder)));
    try (var left = Files.list(folder)) {
      assertEquals(List.of(own), left.toList());
    }
  }

  /** A browser, a port scanner, and something that says nothing. */
  @Test
  void strangersAreSentAway() throws Exception {
    int port = Ranks.freePort();
    FutureTask<Integer> first =
        Ranks.start(
            () -> {
              try (ProcessGroup group =
                  ProcessGroup.join(Ranks.member(0, 2, port, Ranks.TIMEOUTS))) {
                return group.gather(new byte[0]).size();
              }
            });
    for (String greeting : List.of("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "")) {
      try (Socket stranger = connect(port)) {
        stranger.setSoTimeout(20_000);
        try {
          stranger.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII));
          stranger.shutdownOutput();
          assertEquals(-1, stranger.getInputStream().read());
        } catch (SocketException e) {
          // Sent away while it was still talking.
        }
      }
    }
    try (ProcessGroup group = ProcessGroup.join(Ranks.member(1, 2, port, Ranks.TIMEOUTS))) {
      group.gather(new byte[0]);
    }
    assertEquals(2, first.get());
  }

  /** Also where a process waits for its neighbour: one that goes before it has said anything. */
  @Test
  void aStrangerBetweenNeighboursIsSentAway() throws Exception {
    int port = Ranks.freePort();
    Membership self = Ranks.member(0, 2, port, Ranks.TIMEOUTS);
    FutureTask<Integer> first =
        Ranks.start(
            () -> {
              try (ProcessGroup group = new Rendezvous(self, "test").join()) {
                return group.size();
              }
            });
    ProcessName name = new ProcessName(1, "here");
    Socket toFirst = connect(port);
    new Introduction("test", self.wire().name(), name, 2, 1).sendTo(toFirst);
    Welcome welcome = Welcome.from(toFirst);
    Socket stranger = connect(welcome.port());
    stranger.setSoLinger(true, 0); // The connection is reset.
    stranger.close();
    try (Socket neighbour = connect(welcome.port())) {
      neighbour.getOutputStream().write(welcome.secret());
      Peer rankZero = new Peer(new ProcessName(0, "there"), toFirst);
      rankZero.listen(Duration.ofSeconds(20), reason -> {});
      rankZero.send("here".getBytes(StandardCharsets.UTF_8));
      rankZero.receive();
      rankZero.sayFarewell();
      assertEquals(2, first.get());
      rankZero.close(Duration.ofSeconds(5));
    }
  }

  private static Socket connect(int port) throws Exception {
    while (true) {
      try {
        return new Socket(InetAddress.getLoopbackAddress(), port);
      } catch (ConnectException e) {
        Thread.sleep(10); // It does not listen yet.
      }
    }
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (java.net.ServerSocket taken =
        new java.net.ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      String sentence =
          Ranks.failure(
              Ranks.start(() -> ProcessGroup.join(Ranks.member(0, 2, port, Ranks.TIMEOUTS))));
      assertTrue(sentence.startsWith("Rank 0 cannot listen at port " + port), sentence);
    }
  }

  @Test
  void onlyTheFirstReasonCounts() throws Exception {
    List<FutureTask<Object>> ranks =
        Ranks.started(
            2,
            group -> {
              group.abort(new IOException(group.isFirst() ? "One." : "Other."));
              try {
                return group.any(true);
              } catch (UncheckedIOException e) {
                throw e.getCause();
              }
            });
    for (FutureTask<Object> rank : ranks) {
      String sentence = Ranks.failure(rank);
      assertTrue(sentence.matches("Rank [01] \\(.*\\) stopped all: (One|Other)\\."), sentence);
    }
  }
}

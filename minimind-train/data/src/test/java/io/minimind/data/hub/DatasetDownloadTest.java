package io.minimind.data.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.minimind.data.hub.DatasetHub.Layout;
import io.minimind.files.ArgumentException;
import io.minimind.files.JavaProcess;
import io.minimind.files.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A hub that does all that hubs and the way to them do. */
class DatasetDownloadTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  private static final Transfer.Persistence PERSISTENCE =
      new Transfer.Persistence(4, Duration.ofMillis(1), Duration.ofSeconds(2));

  @TempDir Path folder;

  private final byte[] content = content();
  private final List<String> ranges = Collections.synchronizedList(new ArrayList<>());
  private final List<String> tokens = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger asked = new AtomicInteger();
  private HttpServer hub;
  private HttpServer other;
  private Behaviour behaviour = this::serve;

  /** What the hub does when a file is asked for. */
  private interface Behaviour {
    void answer(HttpExchange exchange, int time) throws IOException;
  }

  @BeforeEach
  void start() throws IOException {
    hub = server();
    other = server();
    String list =
        "[{\"type\":\"directory\",\"path\":\"d\"},{\"type\":\"file\",\"path\":\"d/a b.jsonl\",\"size\":%d,\"oid\":\"x\",\"lfs\":{\"oid\":\"%s\",\"size\":%d}}]"
            .formatted(content.length, Sha256.of(content), content.length);
    hub.createContext(
        "/api/datasets/o/n/revision/main",
        exchange -> send(exchange, 200, "{\"sha\":\"" + COMMIT + "\"}"));
    hub.createContext("/api/datasets/o/n/tree/" + COMMIT, exchange -> send(exchange, 200, list));
    hub.createContext("/datasets/o/n/resolve/" + COMMIT + "/d/a%20b.jsonl", this::file);
    hub.createContext("/datasets/o/n/resolve/" + COMMIT + "/d/a b.jsonl", this::file);
    other.createContext(
        "/signed",
        exchange -> {
          tokens.add("other " + exchange.getRequestHeaders().getFirst("Authorization"));
          serve(exchange, 0);
        });
  }

  @AfterEach
  void stop() {
    hub.stop(0);
    other.stop(0);
  }

  @Test
  void aFileArrivesWholeAndIsListed() throws IOException {
    assertEquals(List.of(), download(Optional.empty()));
    assertArrived();
    String manifest = Files.readString(folder.resolve(DatasetDownload.MANIFEST));
    assertTrue(manifest.contains(COMMIT) && manifest.contains(Sha256.of(content)), manifest);
    download(Optional.empty());
    assertEquals(1, asked.get(), "what is here and right is not asked for again");
  }

  @Test
  void aConnectionThatBreaksGoesOnWhereItWas() throws IOException {
    behaviour =
        first(
            3,
            (exchange, time) -> {
              int from = from(exchange);
              // Announces all and sends a part.
              exchange.getResponseHeaders().set("Content-Range", range(from));
              exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
              exchange.getResponseBody().write(content, from, 1000);
              exchange.getResponseBody().flush();
              exchange.close();
            });
    download(Optional.empty());
    assertArrived();
    assertEquals("bytes=1000-", ranges.get(1));
    assertEquals("bytes=3000-", ranges.get(3));
  }

  @Test
  @Timeout(60)
  void aServerThatFallsSilentIsAskedForTheRest() throws IOException {
    behaviour =
        first(
            1,
            (exchange, time) -> {
              exchange.sendResponseHeaders(200, content.length);
              exchange.getResponseBody().write(content, 0, 1000);
              exchange.getResponseBody().flush(); // And no more, though the connection stays.
            });
    download(Optional.empty());
    assertArrived();
    assertEquals("bytes=1000-", ranges.get(1));
  }

  @Test
  void whatNothingVouchesForDoesNotGoOnWithAnOlderPart() throws IOException {
    hub.removeContext("/api/datasets/o/n/tree/" + COMMIT);
    hub.createContext(
        "/api/datasets/o/n/tree/" + COMMIT,
        exchange ->
            send(
                exchange,
                200,
                "[{\"type\":\"file\",\"path\":\"d/a b.jsonl\",\"size\":%d}]"
                    .formatted(content.length)));
    writePart(new byte[500]); // Of another state of the file.
    assertEquals(List.of("d/a b.jsonl"), download(Optional.empty()));
    assertArrived();
  }

  /** Also where Java would write numbers with other digits. */
  @Test
  void aDownloadGoesOnInAllLocales() throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("fa-IR"));
    try {
      writePart(Arrays.copyOf(content, 500));
      download(Optional.empty());
      assertArrived();
      assertEquals(List.of("bytes=500-"), ranges);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aServerThatBeginsAnewIsHeard() throws IOException {
    writePart(Arrays.copyOf(content, 500));
    behaviour = whole(content);
    download(Optional.empty());
    assertArrived();
  }

  @Test
  void aRangeThatIsAnotherIsNotAppended() throws IOException {
    writePart(Arrays.copyOf(content, 500));
    behaviour =
        first(
            1,
            (exchange, time) -> {
              exchange.getResponseHeaders().set("Content-Range", "bytes 0-99/" + content.length);
              exchange.sendResponseHeaders(206, 100);
              exchange.getResponseBody().write(content, 0, 100);
              exchange.close();
            });
    download(Optional.empty());
    assertArrived();
  }

  @Test
  void aBusyServerIsAskedAgain() throws IOException {
    behaviour =
        first(
            2,
            (exchange, time) -> {
              exchange.getResponseHeaders().set("Retry-After", "0");
              send(exchange, time == 0 ? 429 : 503, "later");
            });
    download(Optional.empty());
    assertArrived();
  }

  @Test
  void aTokenGoesToTheHubAlone() throws IOException {
    behaviour = (exchange, time) -> redirect(exchange, address(other).resolve("/signed?x=1"));
    download(Optional.of("secret"));
    assertArrived();
    assertTrue(tokens.contains("hub Bearer secret"), tokens::toString);
    assertTrue(tokens.contains("other null"), tokens::toString);
    assertFalse(tokens.contains("other Bearer secret"), tokens::toString);
  }

  @Test
  @Timeout(60)
  void aDownloadThatWasKilledEndsInTheSameBytes() throws Exception {
    int half = content.length / 2;
    behaviour =
        first(
            1,
            (exchange, time) -> {
              exchange.sendResponseHeaders(200, content.length);
              exchange.getResponseBody().write(content, 0, half);
              exchange.getResponseBody().flush();
            });
    Process process =
        JavaProcess.of(DownloadOnce.class, address(hub), folder).builder().inheritIO().start();
    while (process.isAlive() && part().toFile().length() < half) {
      Thread.sleep(5);
    }
    process.destroyForcibly().waitFor();
    assertEquals(half, Files.size(part()));
    download(Optional.empty());
    assertArrived();
    assertEquals("bytes=" + half + "-", ranges.get(1));
  }

  @Test
  void aServerThatSaysLessThanThereIsIsAskedForTheRest() throws IOException {
    behaviour = first(1, whole(Arrays.copyOf(content, 1234)));
    download(Optional.empty());
    assertArrived();
    assertEquals("bytes=1234-", ranges.get(1));
  }

  @Test
  void aHubOfTheOtherLayoutIsReadFolderByFolder() throws IOException {
    String tree = "/api/v1/datasets/o/n/repo/tree";
    hub.createContext(
        tree,
        exchange -> {
          String query = exchange.getRequestURI().getQuery();
          String files =
              query.contains("Root=/&")
                  ? "{\"Type\":\"tree\",\"Path\":\"d\",\"Size\":0}"
                  : "{\"Type\":\"blob\",\"Path\":\"d/a b.jsonl\",\"Size\":%d,\"Sha256\":\"%s\"}"
                      .formatted(content.length, Sha256.of(content));
          send(exchange, 200, "{\"Data\":{\"Files\":[" + files + "]}}");
        });
    hub.createContext(
        "/api/v1/datasets/o/n/repo",
        exchange -> {
          String query = exchange.getRequestURI().getQuery();
          if (query.equals("Revision=master&FilePath=d/a b.jsonl")) {
            file(exchange);
          } else {
            send(exchange, 404, query);
          }
        });
    behaviour = (exchange, time) -> redirect(exchange, address(other).resolve("/signed?x=1"));
    DatasetHub from = new DatasetHub(address(hub), "o/n", "master", Layout.MODEL_SCOPE);
    List<String> unchecked =
        DatasetDownload.open(from, Optional.of("secret"), PERSISTENCE)
            .to(folder, file -> true, (bytes, total) -> {});
    assertEquals(List.of(), unchecked, "its list says the checksum");
    assertArrived();
    assertFalse(tokens.contains("other Bearer secret"), tokens::toString);
  }

  @Test
  void aPartOfADamagedFileIsBegunAnew() throws IOException {
    writePart(new byte[content.length]);
    download(Optional.empty());
    assertArrived();
  }

  @Test
  void whatIsWrongIsRefusedWithTheReason() {
    byte[] changed = content.clone();
    changed[7]++;
    behaviour = whole(changed);
    assertRefused("not what the hub's checksum says");
    behaviour = whole(Arrays.copyOf(content, content.length + 1));
    assertRefused("more than the");
    behaviour = (exchange, time) -> send(exchange, 404, "no");
    assertRefused("no such data set, revision or file");
    behaviour = (exchange, time) -> send(exchange, 401, "no");
    assertRefused("HF_TOKEN");
    behaviour = (exchange, time) -> send(exchange, 500, "no");
    assertRefused("status 500 (tried 4 times)");
    behaviour = (exchange, time) -> redirect(exchange, exchange.getRequestURI());
    assertRefused("leads in circles");
    behaviour = (exchange, time) -> redirect(exchange, URI.create("file:///etc/passwd"));
    assertRefused("leads to file");
    for (String nowhere : List.of("http://h/a b|c", "http:///x", "%zz")) {
      behaviour =
          (exchange, time) -> {
            exchange.getResponseHeaders().set("Location", nowhere);
            send(exchange, 302, "");
          };
      assertRefused("leads to an address that cannot be.");
    }
    assertFalse(Files.exists(folder.resolve("d/a b.jsonl")));
  }

  @Test
  void aHubThatIsNotThereIsSaidInPlainWords() throws IOException {
    HttpServer gone = server();
    URI closed = address(gone);
    gone.stop(0);
    assertNotReached(closed, "nobody answers there, or a proxy is needed (tried 2 times).");
    assertNotReached(
        URI.create("http://hub.invalid"), "there is no such host, or no network (tried 2 times).");
  }

  private static void assertNotReached(URI address, String problem) {
    DatasetHub from = new DatasetHub(address, "o/n", "main", Layout.HUGGING_FACE);
    IOException refusal =
        assertThrows(
            IOException.class,
            () ->
                DatasetDownload.open(
                    from,
                    Optional.empty(),
                    new Transfer.Persistence(2, Duration.ofMillis(1), Duration.ofMinutes(1))));
    assertEquals(
        "The list of o/n cannot be had from %s: %s".formatted(address, problem),
        refusal.getMessage());
  }

  @Test
  void whatCannotBeWrittenIsNotAskedForAgain() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "this system has no device that is always full");
    Files.createDirectories(folder.resolve("d"));
    Files.createSymbolicLink(part(), full);
    IOException refusal = assertThrows(IOException.class, () -> download(Optional.empty()));
    assertTrue(refusal.getMessage().endsWith(": No space left on device."), refusal.getMessage());
    assertEquals(1, asked.get());
  }

  @Test
  @Timeout(60)
  void aListThatGoesOnWithItselfIsRefused() {
    String tree = "/api/datasets/o/n/tree/" + COMMIT;
    hub.removeContext(tree);
    hub.createContext(
        tree,
        exchange -> {
          exchange.getResponseHeaders().set("Link", "<" + tree + "?cursor=x>; rel=\"next\"");
          send(exchange, 200, "[{\"type\":\"file\",\"path\":\"x\",\"size\":1}]");
        });
    IOException refusal = assertThrows(IOException.class, () -> download(Optional.empty()));
    assertTrue(refusal.getMessage().contains("goes in circles"), refusal.getMessage());
  }

  @Test
  void aListThatLeavesTheFolderIsRefused() {
    hub.removeContext("/api/datasets/o/n/tree/" + COMMIT);
    hub.createContext(
        "/api/datasets/o/n/tree/" + COMMIT,
        exchange ->
            send(
                exchange, 200, "[{\"type\":\"file\",\"path\":\"../x\",\"size\":1,\"oid\":\"y\"}]"));
    IOException refusal = assertThrows(IOException.class, () -> download(Optional.empty()));
    assertTrue(refusal.getMessage().contains("a file that cannot be"), refusal.getMessage());
  }

  private void assertRefused(String problem) {
    asked.set(0);
    IOException refusal = assertThrows(IOException.class, () -> download(Optional.empty()));
    assertTrue(refusal.getMessage().contains(problem), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("a b.jsonl"), refusal.getMessage());
    assertTrue(refusal.getMessage().endsWith("."), refusal.getMessage());
  }

  private void assertArrived() throws IOException {
    assertArrayEquals(content, Files.readAllBytes(folder.resolve("d/a b.jsonl")));
    assertFalse(Files.exists(part()));
  }

  /** Where a download keeps what it has of the file. */
  private Path part() {
    return folder.resolve("d/a b.jsonl.part");
  }

  /** A download that was cut short. */
  private void writePart(byte[] bytes) throws IOException {
    Files.createDirectories(part().getParent());
    Files.write(part(), bytes);
  }

  private List<String> download(Optional<String> token) throws IOException {
    DatasetHub from = new DatasetHub(address(hub), "o/n", "main", Layout.HUGGING_FACE);
    return DatasetDownload.open(from, token, PERSISTENCE)
        .to(folder, file -> true, (bytes, total) -> {});
  }

  private void file(HttpExchange exchange) throws IOException {
    ranges.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
    tokens.add("hub " + exchange.getRequestHeaders().getFirst("Authorization"));
    behaviour.answer(exchange, asked.getAndIncrement());
  }

  private void serve(HttpExchange exchange, int time) throws IOException {
    int from = from(exchange);
    if (from > 0) {
      exchange.getResponseHeaders().set("Content-Range", range(from));
    }
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
    exchange.getResponseBody().write(content, from, content.length - from);
    exchange.close();
  }

  /** Does something else for the first times. */
  private Behaviour first(int times, Behaviour other) {
    return (exchange, time) -> {
      if (time < times) {
        other.answer(exchange, time);
      } else {
        serve(exchange, time);
      }
    };
  }

  /** Sends these bytes, whatever range is asked for. */
  private static Behaviour whole(byte[] bytes) {
    return (exchange, time) -> {
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    };
  }

  private static void redirect(HttpExchange exchange, URI location) {
    exchange.getResponseHeaders().set("Location", location.toString());
    send(exchange, 302, "");
  }

  private String range(int from) {
    return "bytes " + from + "-" + (content.length - 1) + "/" + content.length;
  }

  private static int from(HttpExchange exchange) {
    String range = exchange.getRequestHeaders().getFirst("Range");
    return range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
  }

  private static void send(HttpExchange exchange, int status, String body) {
    try (exchange) {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static HttpServer server() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
    return server;
  }

  private static URI address(HttpServer server) {
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  private static byte[] content() {
    byte[] bytes = new byte[200_000];
    new Random(3).nextBytes(bytes);
    return bytes;
  }

  @Test
  void aTokenIsTakenWithoutTheLineEndBehindIt() throws IOException {
    download(Optional.of("secret\n"));
    assertTrue(tokens.contains("hub Bearer secret"), tokens::toString);
    ArgumentException e =
        assertThrows(ArgumentException.class, () -> download(Optional.of("se\ncret")));
    assertTrue(e.getMessage().endsWith("copy it again."), e.getMessage());
  }

  @Test
  void aNameThatNoHubHasIsAMistakeOfWhoeverGaveIt() {
    ArgumentException e =
        assertThrows(
            ArgumentException.class,
            () -> new DatasetHub(URI.create("https://h"), "nope", "main", Layout.HUGGING_FACE));
    assertTrue(e.getMessage().contains("expected OWNER/NAME"), e.getMessage());
  }
}

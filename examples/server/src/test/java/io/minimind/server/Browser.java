package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A headless Chromium, driven by its DevTools protocol. */
final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final HttpClient client = HttpClient.newHttpClient();
  private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private final StringBuilder violations = new StringBuilder();
  private WebSocket page;
  private int last;

  private Browser(Process process) {
    this.process = process;
  }

  /** The program, if this machine has one. */
  static Optional<Path> find() {
    return Stream.of(System.getenv("PATH").split(java.io.File.pathSeparator))
        .flatMap(
            folder ->
                Stream.of("chromium", "chromium-browser", "google-chrome", "chrome")
                    .map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  static Browser start(Path program, Path folder) throws IOException {
    Process process =
        new ProcessBuilder(
                program.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                "--lang=en",
                "--remote-debugging-port=0",
                "--user-data-dir=" + folder,
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    Browser browser = new Browser(process);
    try {
      browser.connect(folder.resolve("DevToolsActivePort"));
      return browser;
    } catch (IOException | RuntimeException e) {
      browser.close();
      throw e;
    }
  }

  private void connect(Path portFile) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    JsonNode pages = JSON.createArrayNode();
    while (pages.isEmpty()) {
      if (System.nanoTime() > end || !process.isAlive()) {
        throw new IOException("The browser does not start.");
      }
      pause();
      if (Files.exists(portFile) && !Files.readString(portFile).isBlank()) {
        String port = Files.readAllLines(portFile).get(0);
        try {
          pages =
              JSON.readTree(
                  client
                      .send(
                          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json"))
                              .build(),
                          HttpResponse.BodyHandlers.ofString())
                      .body());
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
      }
    }
    String address = "";
    for (JsonNode one : pages) {
      if (one.path("type").asText().equals("page")) {
        address = one.path("webSocketDebuggerUrl").textValue();
      }
    }
    page = client.newWebSocketBuilder().buildAsync(URI.create(address), new Listener()).join();
    for (String domain : new String[] {"Page", "Runtime", "Log"}) {
      call(domain + ".enable", JSON.createObjectNode());
    }
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder message = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      message.append(data);
      if (last) {
        try {
          take(JSON.readTree(message.toString()));
        } catch (IOException e) {
          throw new java.io.UncheckedIOException(e);
        }
        message.setLength(0);
      }
      socket.request(1);
      return null;
    }
  }

  private void take(JsonNode message) {
    if (message.has("id")) {
      waiting.remove(message.path("id").intValue()).complete(message);
    } else if (message.path("method").asText().equals("Log.entryAdded")
        || message.path("method").asText().equals("Runtime.exceptionThrown")) {
      synchronized (violations) {
        violations.append(message.path("params")).append('\n');
      }
    }
  }

  /** What the browser complained about. */
  String complaints() {
    synchronized (violations) {
      return violations.toString();
    }
  }

  private JsonNode call(String method, ObjectNode parameters) {
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    int id = ++last;
    waiting.put(id, answer);
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", parameters);
    page.sendText(message.toString(), true).join();
    return answer.orTimeout(60, TimeUnit.SECONDS).join().path("result");
  }

  void open(URI address) throws IOException {
    call("Page.navigate", JSON.createObjectNode().put("url", address.toString()));
    await("document.readyState === 'complete' && document.getElementById('model').options.length");
  }

  /** The value of an expression. */
  JsonNode evaluate(String expression) {
    ObjectNode parameters = JSON.createObjectNode().put("expression", expression);
    JsonNode result =
        call("Runtime.evaluate", parameters.put("returnByValue", true).put("awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new AssertionError(expression + ": " + result.path("exceptionDetails"));
    }
    return result.path("result").path("value");
  }

  /** Waits until an expression holds. */
  void await(String expression) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!evaluate("Boolean(" + expression + ")").booleanValue()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            expression + " never came: " + evaluate("document.body.innerText"));
      }
      pause();
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  void type(String text) {
    call("Input.insertText", JSON.createObjectNode().put("text", text));
  }

  /** Presses a key such as Enter, Tab or Escape. */
  void press(String key) {
    int code = Map.of("Enter", 13, "Tab", 9, "Escape", 27, " ", 32).getOrDefault(key, 0);
    ObjectNode down =
        JSON.createObjectNode().put("type", "keyDown").put("key", key).put("code", key);
    down.put("windowsVirtualKeyCode", code);
    if (key.equals("Enter")) {
      down.put("text", "\r");
    }
    call("Input.dispatchKeyEvent", down);
    call("Input.dispatchKeyEvent", down.put("type", "keyUp"));
  }

  void size(int width, int height, boolean phone) {
    ObjectNode metrics = JSON.createObjectNode().put("width", width).put("height", height);
    call(
        "Emulation.setDeviceMetricsOverride",
        metrics.put("deviceScaleFactor", 1).put("mobile", phone));
  }

  void dark(boolean value) {
    ObjectNode media = JSON.createObjectNode();
    media
        .putArray("features")
        .addObject()
        .put("name", "prefers-color-scheme")
        .put("value", value ? "dark" : "light");
    call("Emulation.setEmulatedMedia", media);
  }

  /** A picture of the page as PNG. */
  byte[] picture() {
    JsonNode shot = call("Page.captureScreenshot", JSON.createObjectNode().put("format", "png"));
    return Base64.getDecoder().decode(shot.path("data").textValue());
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

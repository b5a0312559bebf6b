package io.minimind.data.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * Requests to a hub. Redirects are followed here and not by the client, because the token of a hub
 * is for the hub alone: it goes to no other host, port or scheme.
 */
final class Transfer {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_REDIRECTS = 10;
  private static final int LARGEST_JSON = 1 << 26;
  private static final Pattern NEXT = Pattern.compile("<([^>]*)>\\s*;[^,]*rel=\"?next\"?");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final HttpClient client =
      HttpClient.newBuilder()
          .connectTimeout(Duration.ofSeconds(30))
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();
  private final URI hub;
  private final Optional<String> token;
  private final Persistence persistence;

  /**
   * How a request that fails for a while is made again.
   *
   * @param attempts how often a request is made before it has failed
   * @param pause between the first two of them; it doubles
   * @param silence how long a server that answers may send nothing before the attempt has failed
   */
  record Persistence(int attempts, Duration pause, Duration silence) {
    static final Persistence DEFAULT = new Persistence(6, Duration.ofSeconds(1), PATIENCE);
  }

  /**
   * @param hub the only place that is told the token
   */
  Transfer(URI hub, Optional<String> token, Persistence persistence) {
    this.hub = hub;
    this.token = token.map(String::strip); // Files end with a line end, and so do what shells read.
    this.persistence = persistence;
    if (!this.token.orElse("x").matches("[!-~]+")) {
      throw new ArgumentException(
          "The token for %s has characters that no token has, or none: copy it again."
              .formatted(hub));
    }
  }

  /** A part of a list. */
  record Page(JsonNode json, Optional<URI> next) {}

  /** What a server says that is no answer but may be one later. */
  static final class TryAgainException extends IOException {
    private static final long serialVersionUID = 1;
    private final transient Optional<Duration> wait;

    TryAgainException(String message, Optional<Duration> wait) {
      super(message);
      this.wait = wait;
    }
  }

  /** Something that may fail for a while. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException;
  }

  /** Tries until it succeeds, or fails for good, or has failed too often. */
  <T> T persistently(Attempt<T> attempt) throws IOException {
    Duration wait = persistence.pause();
    for (int made = 1; ; made++) {
      try {
        return attempt.run();
      } catch (RefusedException | InterruptedIOException | FileSystemException e) {
        throw e; // The disk is no better the next time.
      } catch (IOException e) {
        if (made == persistence.attempts()) {
          throw new IOException("%s (tried %d times)".formatted(reason(e), made), e);
        }
        Optional<Duration> asked =
            e instanceof TryAgainException later ? later.wait : Optional.empty();
        sleep(asked.filter(given -> given.compareTo(PATIENCE) < 0).orElse(wait));
        wait = wait.multipliedBy(2);
      }
    }
  }

  /** What will not be otherwise the next time. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    RefusedException(String message) {
      super(message);
    }
  }

  private static String reason(IOException e) {
    if (e instanceof ConnectException) {
      return Stream.<Throwable>iterate(e, Objects::nonNull, Throwable::getCause)
              .anyMatch(UnresolvedAddressException.class::isInstance)
          ? "there is no such host, or no network"
          : "nobody answers there, or a proxy is needed";
    }
    if (e instanceof SSLException) {
      return "no encrypted connection can be made (" + e.getMessage() + ")";
    }
    return e.getMessage() == null ? "the connection broke" : e.getMessage();
  }

  private static void sleep(Duration duration) throws IOException {
    try {
      Thread.sleep(duration.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  JsonNode json(URI address) throws IOException {
    return page(address).json();
  }

  /** A part of a list, and where it goes on. */
  Page page(URI address) throws IOException {
    if (!isHub(address)) {
      throw new RefusedException("the list of the hub goes on at another host");
    }
    return persistently(
        () -> {
          HttpResponse<InputStream> response = get(address, 0);
          try (InputStream body = body(response)) {
            byte[] bytes = body.readNBytes(LARGEST_JSON);
            Optional<String> link = response.headers().firstValue("Link");
            Matcher next = NEXT.matcher(link.orElse(""));
            return new Page(
                JSON.readTree(bytes),
                next.find() ? Optional.of(resolve(address, next.group(1))) : Optional.empty());
          } catch (JsonProcessingException e) {
            throw new IOException("the hub's list is not JSON", e);
          }
        });
  }

  /**
   * Asks for a file from a position on.
   *
   * @return an answer with the status 200, which begins at the start, or 206
   */
  HttpResponse<InputStream> get(URI address, long from) throws IOException {
    URI at = address;
    for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      HttpResponse<InputStream> response = send(at, from);
      int status = response.statusCode();
      if (status == 200 || status == 206 && from > 0) {
        return response;
      }
      response.body().close();
      Optional<String> location = response.headers().firstValue("Location");
      if (status >= 301 && status <= 308 && location.isPresent()) {
        URI next = resolve(at, location.get());
        if (!String.valueOf(next.getScheme()).matches("https?")
            || at.getScheme().equals("https") && !next.getScheme().equals("https")) {
          throw new RefusedException(
              "the server leads to " + next.getScheme() + ", which is not safe");
        }
        at = next;
        continue;
      }
      throw failure(status, response);
    }
    throw new RefusedException("the server leads in circles");
  }

  /** What an answer brings. */
  InputStream body(HttpResponse<InputStream> response) {
    return new PatientInput(response.body(), persistence.silence());
  }

  /** Where a server says that it goes on. */
  private static URI resolve(URI from, String given) throws RefusedException {
    try {
      URI address = from.resolve(given);
      if (address.isOpaque()
          || address.getScheme().startsWith("http") && address.getHost() == null) {
        throw new IllegalArgumentException(given);
      }
      return address;
    } catch (IllegalArgumentException e) {
      throw new RefusedException("the server leads to an address that cannot be");
    }
  }

  private static IOException failure(int status, HttpResponse<?> response) {
    if (status == 408 || status == 425 || status == 429 || status >= 500) {
      Optional<Duration> wait =
          response
              .headers()
              .firstValue("Retry-After")
              .filter(seconds -> seconds.matches("\\d{1,4}"))
              .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
      return new TryAgainException("the server answers with the status " + status, wait);
    }
    return new RefusedException(
        switch (status) {
          case 401, 403 -> "the server wants a token, or another one: set HF_TOKEN";
          case 404 -> "the server has no such data set, revision or file";
          case 416 -> "the server has less of the file than is here";
          default -> "the server answers with the status " + status;
        });
  }

  private HttpResponse<InputStream> send(URI address, long from) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .timeout(PATIENCE)
            .header("Accept-Encoding", "identity")
            .header("User-Agent", "minimind");
    if (from > 0) {
      request.header("Range", "bytes=" + from + "-");
    }
    if (token.isPresent() && isHub(address)) {
      request.header("Authorization", "Bearer " + token.get());
    }
    try {
      return client.send(request.build(), BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private boolean isHub(URI address) {
    return hub.getScheme().equalsIgnoreCase(address.getScheme())
        && hub.getHost().equalsIgnoreCase(address.getHost())
        && port(hub) == port(address);
  }

  private static int port(URI address) {
    return address.getPort() >= 0
        ? address.getPort()
        : address.getScheme().equals("https") ? 443 : 80;
  }
}

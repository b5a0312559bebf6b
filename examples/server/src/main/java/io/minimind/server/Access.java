package io.minimind.server;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;

/** Who may ask: by API key, and which pages of other origins. */
final class Access {
  private final List<byte[]> keys; // hashed, so that all have one length
  private final Set<String> origins; // "*" is any
  private final boolean loopback;

  /**
   * @param keys without any, everyone may ask
   * @param origins of pages of other servers that may ask, or {@code *}
   * @param loopback whether only this machine can connect
   */
  Access(Set<String> keys, Set<String> origins, boolean loopback) {
    this.keys = keys.stream().map(Access::hash).toList();
    this.origins = Set.copyOf(origins);
    this.loopback = loopback;
  }

  private static byte[] hash(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256.", e);
    }
  }

  /**
   * Takes the same time for every key, so that it cannot be guessed bit by bit.
   *
   * @throws ApiError if the key is missing or wrong
   */
  void checkKey(HttpFields headers) {
    if (keys.isEmpty()) {
      return;
    }
    String authorization = Optional.ofNullable(headers.get(HttpHeader.AUTHORIZATION)).orElse("");
    String key =
        authorization.regionMatches(true, 0, "Bearer ", 0, 7)
            ? authorization.substring(7).strip()
            : Optional.ofNullable(headers.get("x-api-key")).orElse("");
    byte[] given = hash(key);
    boolean known = false;
    for (byte[] one : keys) {
      known |= MessageDigest.isEqual(one, given);
    }
    if (!known) {
      throw ApiError.unauthorized();
    }
  }

  /**
   * The origin of another server's page that may ask; nothing if this is no such page.
   *
   * @throws ApiError if it is one that may not
   */
  Optional<String> checkOrigin(HttpFields headers) {
    String origin = headers.get(HttpHeader.ORIGIN);
    if (origin == null || isOwn(origin, headers.get(HttpHeader.HOST))) {
      return Optional.empty();
    }
    if (origins.contains("*") || origins.contains(origin)) {
      return Optional.of(origin);
    }
    throw ApiError.forbidden(
        "Pages of the origin %s may not ask here; --cors-origin lets them."
            .formatted(Text.quote(origin)));
  }

  /** Whether a page was served by this server. A name that was made to point here is not enough. */
  private boolean isOwn(String origin, String host) {
    try {
      URI uri = URI.create(origin);
      return uri.getRawAuthority() != null
          && uri.getRawAuthority().equals(host)
          && (!loopback
              || Set.of("localhost", "127.0.0.1", "[::1]").contains(String.valueOf(uri.getHost())));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}

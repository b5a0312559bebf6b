package io.minimind.data.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What a server sends, as long as it sends something: the time limit of a request ends where its
 * answer begins, and a server that falls silent then would be waited for without end.
 */
final class PatientInput extends FilterInputStream {
  private final Duration patience;

  /**
   * @param in can be closed while it is read, and the reading ends then
   * @param patience how long to wait for the next byte
   */
  PatientInput(InputStream in, Duration patience) {
    super(in);
    this.patience = patience;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  /**
   * @throws IOException also if nothing comes for too long; the stream is closed then
   */
  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    CompletableFuture<Void> heard = new CompletableFuture<>();
    heard
        .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (nothing, silent) -> {
              if (silent != null) {
                giveUp();
              }
            });
    int read;
    try {
      read = super.read(bytes, offset, length);
    } catch (IOException e) {
      throw heard.isCompletedExceptionally() ? silence(e) : e;
    } finally {
      heard.complete(null);
    }
    if (heard.isCompletedExceptionally()) {
      throw silence(null);
    }
    return read;
  }

  private void giveUp() {
    try {
      close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private IOException silence(IOException cause) {
    return new IOException(
        "the server has sent nothing for %d seconds".formatted(patience.toSeconds()), cause);
  }
}

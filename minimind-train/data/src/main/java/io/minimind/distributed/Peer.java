package io.minimind.distributed;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Another process, and the connection by which the two tell each other short things: messages,
 * signs of life, why one of them stops. A frame is a byte that says what it is, the length as
 * int32, and so many bytes. A thread reads whatever comes, so that it is known at once when the
 * other is lost.
 */
final class Peer {

  private static final byte ALIVE = 0;
  private static final byte MESSAGE = 1;
  private static final byte FAREWELL = 2;
  private static final byte ABORT = 3;

  /** Far more than is ever sent. */
  private static final int LONGEST = 1 << 28;

  private static final int LONGEST_SENTENCE = 1 << 16;

  private final ProcessName name;
  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final ReentrantLock sending = new ReentrantLock();
  private final BlockingQueue<Optional<byte[]>> messages = new LinkedBlockingQueue<>();
  private Thread reader;

  Peer(ProcessName name, Socket socket) throws IOException {
    this.name = name;
    this.socket = socket;
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    out = new DataOutputStream(socket.getOutputStream());
  }

  ProcessName name() {
    return name;
  }

  /**
   * Listens from now on.
   *
   * @param silence after which the other is taken for lost
   * @param lost is told why, in a sentence, unless the other says farewell
   */
  void listen(Duration silence, Consumer<String> lost) throws IOException {
    socket.setSoTimeout(Math.toIntExact(silence.toMillis()));
    reader =
        new Thread(
            () -> {
              reason(silence).ifPresent(lost);
              endMessages();
            },
            "peer-" + name.rank());
    reader.setDaemon(true);
    reader.start();
  }

  /** Reads until the connection ends, and says why it did, or nothing after a farewell. */
  private Optional<String> reason(Duration silence) {
    String subject = name.subject();
    try {
      while (true) {
        byte kind = in.readByte();
        int length = in.readInt();
        if (length < 0 || length > LONGEST) {
          return Optional.of(subject + " sends what is no message.");
        }
        byte[] content = in.readNBytes(length);
        switch (kind) {
          case ALIVE -> {}
          case MESSAGE -> messages.add(Optional.of(content));
          case FAREWELL -> {
            endMessages();
            drain();
            return Optional.empty();
          }
          case ABORT -> {
            return Optional.of(new String(content, StandardCharsets.UTF_8));
          }
          default -> {
            return Optional.of(subject + " sends what is no message.");
          }
        }
      }
    } catch (SocketTimeoutException e) {
      return Optional.of(
          "%s has given no sign of life for %d seconds: it hangs, or the network is cut."
              .formatted(subject, silence.toSeconds()));
    } catch (EOFException e) {
      return Optional.of(subject + " has ended without a word: it was killed, or crashed.");
    } catch (IOException e) {
      return Optional.of("%s is lost: %s.".formatted(subject, e.getMessage()));
    }
  }

  /** What is closed with something unread takes back what it sent, so nothing is left unread. */
  private void drain() {
    try {
      while (in.read() >= 0) {}
    } catch (IOException e) {
      // It has said farewell: it may go as it likes.
    }
  }

  void send(byte[] message) throws IOException {
    sending.lock();
    try {
      write(MESSAGE, message);
    } finally {
      sending.unlock();
    }
  }

  private void write(byte kind, byte[] content) throws IOException {
    byte[] frame = new byte[1 + Integer.BYTES + content.length];
    ByteBuffer.wrap(frame).put(kind).putInt(content.length).put(content);
    out.write(frame);
    out.flush();
  }

  /** Tells the other that this process lives; it will notice itself if it cannot be told. */
  void sendSignOfLife() {
    if (sending.tryLock()) { // Else something else is being sent, which tells as much.
      try {
        write(ALIVE, new byte[0]);
      } catch (IOException e) {
        // The reader says what is the matter.
      } finally {
        sending.unlock();
      }
    }
  }

  /** Says why this process stops, and sends nothing more. */
  void abort(String sentence) {
    byte[] bytes = sentence.getBytes(StandardCharsets.UTF_8);
    sendLast(ABORT, bytes.length > LONGEST_SENTENCE ? new byte[0] : bytes);
  }

  /** Says that this process has done its work, and sends nothing more. */
  void sayFarewell() {
    sendLast(FAREWELL, new byte[0]);
  }

  private void sendLast(byte kind, byte[] content) {
    boolean free = false;
    try {
      free = sending.tryLock(1, TimeUnit.SECONDS);
      if (free) {
        write(kind, content);
        socket.shutdownOutput();
      } else {
        socket.close(); // It takes nothing, and whoever is sending must not wait for it.
      }
    } catch (IOException e) {
      // It is gone already.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (free) {
        sending.unlock();
      }
    }
  }

  /** The next message; nothing if none will come. */
  Optional<byte[]> receive() throws InterruptedException {
    Optional<byte[]> message = messages.take();
    if (message.isEmpty()) {
      endMessages(); // Also for who asks again.
    }
    return message;
  }

  /** Makes {@link #receive} return, now and later. */
  void endMessages() {
    messages.add(Optional.empty());
  }

  /**
   * Closes the connection, once the other has read what was said last.
   *
   * @param patience how long to wait for that
   */
  void close(Duration patience) {
    try {
      if (reader != null && reader != Thread.currentThread()) {
        reader.join(patience.toMillis());
      }
      socket.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // Closed is closed.
    }
  }
}

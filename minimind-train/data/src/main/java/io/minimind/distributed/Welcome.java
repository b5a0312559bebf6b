package io.minimind.distributed;

import io.minimind.files.InputException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * What the first process tells another one when all have come.
 *
 * @param secret by which neighbours in the row know each other
 * @param host of the process before it, empty if that is the first
 * @param port where that process waits
 */
record Welcome(byte[] secret, String host, int port) {

  static final int SECRET = 16;

  private static final int WELCOME = 1;
  private static final int REFUSAL = 0;

  void sendTo(Socket other) throws IOException {
    DataOutputStream out = new DataOutputStream(other.getOutputStream());
    out.writeByte(WELCOME);
    out.write(secret);
    out.writeUTF(host);
    out.writeInt(port);
    out.flush();
  }

  /** Sends a process away, and tells it why. */
  static void refuse(Socket other, String sentence) {
    try (other) {
      DataOutputStream out = new DataOutputStream(other.getOutputStream());
      out.writeByte(REFUSAL);
      out.writeUTF(sentence);
      out.flush();
    } catch (IOException e) {
      // It will learn it from its own time-out.
    }
  }

  /**
   * @throws InputException if the first process refuses this one; it says why
   */
  static Welcome from(Socket first) throws IOException {
    DataInputStream in = new DataInputStream(first.getInputStream());
    if (in.readByte() != WELCOME) {
      throw new InputException(in.readUTF());
    }
    return new Welcome(in.readNBytes(SECRET), in.readUTF(), in.readInt());
  }

  /** Where the process before waits. */
  InetSocketAddress previous(InetAddress first) throws IOException {
    return new InetSocketAddress(host.isEmpty() ? first : InetAddress.getByName(host), port);
  }
}

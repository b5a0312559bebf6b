package io.minimind.distributed;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;

/**
 * What a process says of itself when it comes to the first.
 *
 * @param dialect what it takes the others to say, equal for all
 * @param wire how it sends gradients
 * @param size how many processes it was told of
 * @param port where it waits for the process after it
 */
record Introduction(String dialect, String wire, ProcessName name, int size, int port) {

  private static final long MAGIC = 0x4d696e694d696e64L; // "MiniMind"

  void sendTo(Socket first) throws IOException {
    DataOutputStream out = new DataOutputStream(first.getOutputStream());
    out.writeLong(MAGIC);
    out.writeUTF(dialect);
    out.writeUTF(wire);
    out.writeInt(name.rank());
    out.writeInt(size);
    out.writeUTF(name.host());
    out.writeInt(port);
    out.flush();
  }

  /**
   * @throws IOException if it is a stranger who comes
   */
  static Introduction from(Socket other) throws IOException {
    DataInputStream in = new DataInputStream(other.getInputStream());
    if (in.readLong() != MAGIC) {
      throw new IOException("It is no process of MiniMind.");
    }
    String dialect = in.readUTF();
    String wire = in.readUTF();
    int rank = in.readInt();
    int size = in.readInt();
    ProcessName name = new ProcessName(rank, in.readUTF());
    return new Introduction(dialect, wire, name, size, in.readInt());
  }
}

package io.minimind.weights.torch;

import io.minimind.files.AtomicFile;
import io.minimind.weights.StreamedTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes a state dictionary as {@code torch.save} does, float32 and piece by piece. */
public final class TorchWriter {

  private static final String FOLDER = "archive/";

  private TorchWriter() {}

  /**
   * Writes a file.
   *
   * @param shared the name of a tensor that stands under another name as well
   * @param also that other name
   * @throws IOException with one sentence that names the file; an older file is then untouched
   */
  public static void write(Path path, List<StreamedTensor> tensors, String shared, String also)
      throws IOException {
    AtomicFile.replace(
        path,
        channel -> {
          ZipOutputStream zip = new ZipOutputStream(Channels.newOutputStream(channel));
          zip.setMethod(ZipOutputStream.STORED);
          entry(zip, "data.pkl", pickle(tensors, shared, also));
          entry(zip, "byteorder", "little".getBytes(StandardCharsets.US_ASCII));
          for (int i = 0; i < tensors.size(); i++) {
            data(zip, "data/" + i, tensors.get(i));
          }
          entry(zip, "version", "3\n".getBytes(StandardCharsets.US_ASCII));
          zip.finish();
        });
  }

  private static void entry(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    begin(zip, name, bytes.length, checksum);
    zip.write(bytes);
    zip.closeEntry();
  }

  private static void data(ZipOutputStream zip, String name, StreamedTensor tensor)
      throws IOException {
    CRC32 checksum = new CRC32();
    tensor.forEachPiece((values, count) -> checksum.update(bytes(values, count)));
    begin(zip, name, Math.multiplyExact(tensor.elements(), Float.BYTES), checksum);
    OutputStream out = zip;
    tensor.forEachPiece((values, count) -> out.write(bytes(values, count)));
    zip.closeEntry();
  }

  private static void begin(ZipOutputStream zip, String name, long size, CRC32 checksum)
      throws IOException {
    ZipEntry entry = new ZipEntry(FOLDER + name);
    entry.setTime(0);
    entry.setSize(size);
    entry.setCompressedSize(size);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
  }

  private static byte[] bytes(float[] values, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values, 0, count);
    return bytes.array();
  }

  /** An ordered dictionary of tensors, in protocol 2. */
  private static byte[] pickle(List<StreamedTensor> tensors, String shared, String also) {
    Pickler out = new Pickler();
    out.code(0x80).code(2);
    out.global("collections", "OrderedDict").code(')').code('R').code('(');
    for (int i = 0; i < tensors.size(); i++) {
      StreamedTensor tensor = tensors.get(i);
      List<String> names = new ArrayList<>(List.of(tensor.name()));
      if (tensor.name().equals(shared)) {
        names.add(also);
      }
      for (String name : names) {
        out.text(name).tensor(i, tensor);
      }
    }
    out.code('u').code('.');
    return out.bytes.toByteArray();
  }

  private static final class Pickler {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Pickler code(int code) {
      bytes.write(code);
      return this;
    }

    Pickler global(String module, String name) {
      bytes.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
      return this;
    }

    Pickler text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      code('X').int32(utf8.length).bytes.writeBytes(utf8);
      return this;
    }

    /** A view of a whole storage. */
    Pickler tensor(int storage, StreamedTensor tensor) {
      global("torch._utils", "_rebuild_tensor_v2").code('(');
      code('(').text("storage").global("torch", "FloatStorage");
      text(String.valueOf(storage)).text("cpu").number(tensor.elements()).code('t').code('Q');
      number(0);
      code('(');
      tensor.shape().forEach(this::number);
      code('t').code('(');
      for (int i = 0; i < tensor.shape().size(); i++) {
        long stride = 1;
        for (long inner : tensor.shape().subList(i + 1, tensor.shape().size())) {
          stride *= inner;
        }
        number(stride);
      }
      code('t').code(0x89);
      global("collections", "OrderedDict").code(')').code('R');
      return code('t').code('R');
    }

    private Pickler number(long number) {
      return number == (int) number ? code('J').int32((int) number) : whole(number);
    }

    private Pickler whole(long number) {
      code(0x8A).code(Long.BYTES);
      bytes.writeBytes(
          ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array());
      return this;
    }

    private Pickler int32(int number) {
      bytes.writeBytes(
          ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
      return this;
    }
  }
}

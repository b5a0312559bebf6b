package io.minimind.infer;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.minimind.files.Checksums;
import io.minimind.files.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Damages model folders in many ways and uses them. What it must not do is end the process, which
 * is why it is a process of its own: it prints the number of each attempt before it makes it. Every
 * second folder has an index of checksums; such a one must be refused or answer as the whole one
 * does. Of the others some answer otherwise: a weight that is another weight cannot be told.
 */
final class FolderFuzz {
  private static final GenerationOptions OPTIONS =
      GenerationOptions.defaults().withMaxNewTokens(120).withSeed(1);

  private static final Duration LONGEST = Duration.ofSeconds(20);

  private FolderFuzz() {}

  /** Arguments: an empty folder, the first attempt, the number of attempts. */
  public static void main(String[] arguments) throws IOException {
    Path whole = ExportedModel.write(Path.of(arguments[0]).resolve("whole"));
    List<String> names;
    try (Stream<Path> files = Files.list(whole)) {
      names = files.map(file -> file.getFileName().toString()).sorted().toList();
    }
    String expected = answer(whole);
    int first = Integer.parseInt(arguments[1]);
    int refused = 0;
    int same = 0;
    int different = 0;
    long longest = 0;
    for (int i = first; i < first + Integer.parseInt(arguments[2]); i++) {
      Path damaged = copy(whole, Path.of(arguments[0]).resolve("damaged"));
      boolean sealed = i % 2 == 1;
      if (sealed) {
        Checksums.write(damaged, names);
      }
      String damage = damage(damaged, new SplittableRandom(i));
      System.out.println(i + ": " + damage);
      long start = System.nanoTime();
      String answer = answer(damaged);
      long taken = System.nanoTime() - start;
      if (taken > LONGEST.toNanos()) {
        throw new AssertionError("attempt " + i + " took " + taken / 1_000_000 + " ms");
      }
      longest = Math.max(longest, taken);
      if (answer.isEmpty()) {
        refused++;
      } else if (answer.equals(expected)) {
        same++;
      } else if (sealed) {
        throw new AssertionError("attempt " + i + " answers otherwise: " + answer);
      } else {
        different++;
      }
    }
    System.out.printf("longest %d ms, peak %d MB%n", longest / 1_000_000, peakMegabytes());
    System.out.printf("same %d, different %d, refused %d%n", same, different, refused);
  }

  /** What the model in a folder says; nothing if it is refused, which must be in a sentence. */
  private static String answer(Path folder) {
    try (LanguageModel model = LanguageModel.load(folder, LoadOptions.defaults().withThreads(1))) {
      float[] embedding = model.embed("law");
      return model.generate("law", OPTIONS).text() + Arrays.hashCode(embedding) + "!";
    } catch (IOException | IllegalArgumentException | IllegalStateException e) {
      String message = String.valueOf(e.getMessage());
      System.out.println("  " + message);
      if (!message.endsWith(".") || message.length() > 1500 || message.contains("\0")) {
        throw new AssertionError("not a sentence: " + message, e);
      }
      return "";
    }
  }

  /** The most memory that this process has had, or 0 where the system does not tell. */
  private static long peakMegabytes() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElse(0);
  }

  private static Path copy(Path from, Path to) throws IOException {
    Folders.delete(to);
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  private static String damage(Path folder, SplittableRandom random) throws IOException {
    List<String> names;
    try (Stream<Path> files = Files.list(folder)) {
      names = files.map(file -> file.getFileName().toString()).sorted().toList();
    }
    // Half of all damage goes to the graph, where it can do most harm.
    String name = random.nextBoolean() ? "model.onnx" : names.get(random.nextInt(names.size()));
    Path file = folder.resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    switch (random.nextInt(8)) {
      case 0 -> {
        int length = random.nextInt(bytes.length);
        Files.write(file, Arrays.copyOf(bytes, length));
        return name + " cut to " + length;
      }
      case 1 -> {
        int bits = 1 + random.nextInt(8);
        for (int i = 0; i < bits; i++) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        Files.write(file, bytes);
        return name + " with " + bits + " bits flipped";
      }
      case 2 -> {
        Files.delete(file);
        return name + " missing";
      }
      case 3 -> {
        int at = random.nextInt(bytes.length);
        int length = Math.min(bytes.length - at, 1 + random.nextInt(64));
        for (int i = at; i < at + length; i++) {
          bytes[i] = (byte) random.nextInt();
        }
        Files.write(file, bytes);
        return name + " with noise at " + at;
      }
      case 4, 5 -> {
        return field(folder, random);
      }
      case 6 -> {
        return digits(folder, names, random);
      }
      default -> {
        Path outside = folder.resolveSibling("outside");
        Files.write(outside, bytes);
        Files.delete(file);
        Files.createSymbolicLink(file, outside);
        return name + " as a link out of the folder";
      }
    }
  }

  /** Another number in a field of the graph, which a flipped bit seldom hits. */
  private static String field(Path folder, SplittableRandom random) throws IOException {
    Path file = folder.resolve("model.onnx");
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    long[] numbers = {
      0, -1, 1, 2, 3, 16, 1 << 20, Integer.MAX_VALUE, 1L << 40, Long.MIN_VALUE, random.nextLong()
    };
    long number = numbers[random.nextInt(numbers.length)];
    NodeProto.Builder node = graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    TensorProto.Builder tensor =
        graph.getInitializerBuilder(random.nextInt(graph.getInitializerCount()));
    switch (random.nextInt(6)) {
      case 0 -> {
        if (node.getAttributeCount() > 0) {
          node.getAttributeBuilder(random.nextInt(node.getAttributeCount())).setI(number);
        }
      }
      case 1 -> {
        if (tensor.getDimsCount() > 0) {
          tensor.setDims(random.nextInt(tensor.getDimsCount()), number);
        }
      }
      case 2 -> {
        byte[] data = tensor.getRawData().toByteArray();
        for (int i = 0; i < data.length; i++) {
          data[i] = (byte) (number >>> 8 * (i % 8));
        }
        tensor.setRawData(ByteString.copyFrom(data));
      }
      case 3 -> {
        NodeProto other = graph.getNode(random.nextInt(graph.getNodeCount()));
        node.setOpType(other.getOpType()).setDomain(other.getDomain());
      }
      case 4 -> {
        NodeProto other = graph.getNode(random.nextInt(graph.getNodeCount()));
        node.setInput(random.nextInt(node.getInputCount()), other.getOutput(0));
      }
      default -> {
        if (tensor.getExternalDataCount() > 0) {
          tensor
              .getExternalDataBuilder(random.nextInt(tensor.getExternalDataCount()))
              .setValue(Long.toString(number));
        }
      }
    }
    Files.write(file, model.build().toByteArray());
    return "model.onnx with " + number + " in a field";
  }

  /** Other numbers where there are numbers: shapes, offsets, lengths, ids. */
  private static String digits(Path folder, List<String> names, SplittableRandom random)
      throws IOException {
    String name = names.get(random.nextInt(names.size()));
    byte[] bytes = Files.readAllBytes(folder.resolve(name));
    int start = random.nextInt(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      int at = (start + i) % bytes.length;
      if (bytes[at] >= '0' && bytes[at] <= '9') {
        bytes[at] = (byte) ('0' + random.nextInt(10));
        if (random.nextInt(3) == 0) {
          Files.write(folder.resolve(name), bytes);
          return name + " with other digits until " + at + " " + context(bytes, at);
        }
      }
    }
    return name + " with all digits changed";
  }

  private static String context(byte[] bytes, int at) {
    int start = Math.max(0, at - 20);
    return StandardCharsets.US_ASCII
        .decode(ByteBuffer.wrap(bytes, start, at - start))
        .toString()
        .replaceAll("[^ -~]", ".");
  }
}

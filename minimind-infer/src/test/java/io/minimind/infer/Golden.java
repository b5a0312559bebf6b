package io.minimind.infer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Reference numbers of the original, where a checkout has them beside it. */
final class Golden {
  private Golden() {}

  static JsonNode read(String name) throws IOException {
    return new ObjectMapper().readTree(file(name).toFile());
  }

  /** The weights of a safetensors file; the output layer is tied to the embedding. */
  static TestModel.Weights weights(String name) throws IOException {
    ByteBuffer file =
        ByteBuffer.wrap(Files.readAllBytes(file(name))).order(ByteOrder.LITTLE_ENDIAN);
    int headerSize = (int) file.getLong();
    JsonNode header = new ObjectMapper().readTree(file.array(), Long.BYTES, headerSize);
    return (weight, shape) -> {
      String stored = weight.equals("output.weight") ? "tok_embeddings.weight" : weight;
      JsonNode offsets = header.required(stored).required("data_offsets");
      int start = offsets.required(0).intValue();
      int length = offsets.required(1).intValue() - start;
      float[] values = new float[length / Float.BYTES];
      file.slice(Long.BYTES + headerSize + start, length)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(values);
      return values;
    };
  }

  private static Path file(String name) {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path file = at.resolve("shared/golden").resolve(name);
      if (Files.exists(file)) {
        return file;
      }
    }
    return Assumptions.abort("no shared/golden/" + name + " beside this checkout");
  }
}

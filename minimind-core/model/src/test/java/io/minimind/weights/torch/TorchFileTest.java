package io.minimind.weights.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.weights.StreamedTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchFileTest {

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path file = folder.resolve("model.pth");
    TorchWriter.write(
        file,
        List.of(
            StreamedTensor.of("a", new float[] {1, 2, 3, 4, 5, 6}, 2, 3),
            StreamedTensor.of("b", new float[] {-7}, 1)),
        "a",
        "also");
    Map<String, StreamedTensor> tensors = TorchFile.open(file).tensors();
    assertEquals(List.of("a", "also", "b"), List.copyOf(tensors.keySet()));
    assertEquals(List.of(2L, 3L), tensors.get("also").shape());
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, tensors.get("also").load());
    assertArrayEquals(new float[] {-7}, tensors.get("b").load());
  }

  /**
   * Pickles by hand, {@code |} for a line's end: what they build or call is not what a model needs.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "cos|system|(X\u0004\u0000\u0000\u0000truetR.; calls \"os.system\"",
        "cbuiltins|eval|(X\u0001\u0000\u0000\u00001tR.; calls \"builtins.eval\"",
        "ctorch.nn.modules.linear|Linear|)\u0081.; whole model of the class",
        "].; no state dictionary",
        "N.; no state dictionary",
        "}(K\u0001K\u0002u.; no state dictionary",
        "}(X\u0001\u0000\u0000\u0000aK\u0002u.; no state dictionary",
        "}((K\u0001tK\u0002u.; a key that is no name",
        "h\u0005.; damaged",
        "0.; damaged",
        "cos|system|.; no state dictionary",
        "X\u0001\u0000\u0000\u0000a]\u0093.; damaged",
        "\u0092.; the instruction 0x92",
        "]; cut short"
      })
  void nothingIsRun(String pickle, String problem) throws IOException {
    Path file = write(pickle.replace('|', '\n').getBytes(StandardCharsets.ISO_8859_1));
    IOException refusal = assertThrows(IOException.class, () -> TorchFile.open(file));
    assertTrue(refusal.getMessage().contains(problem), refusal.getMessage());
    assertTrue(refusal.getMessage().endsWith("."), refusal.getMessage());
  }

  /** Of the format before zip, whose storages have names; a list may hold itself. */
  @Test
  void aStorageThatIsCalledAListIsNone() throws IOException {
    String magic = "\u0080\u0002\u008A\n\u006C\u00FC\u009CF\u00F9 j\u00A8P\u0019.";
    String file = magic + "K\u0001." + "}." + "}." + "]q\u0000h\u0000a.";
    Path hostile = folder.resolve("hostile.pt");
    Files.write(hostile, file.getBytes(StandardCharsets.ISO_8859_1));
    IOException refusal = assertThrows(IOException.class, () -> TorchFile.open(hostile));
    assertTrue(refusal.getMessage().contains("its pickle is damaged"), refusal.getMessage());
  }

  @Test
  void aFileThatIsCutOrChangedAnywhereIsReadOrRefused() throws IOException {
    Path file = folder.resolve("model.pth");
    TorchWriter.write(
        file, List.of(StreamedTensor.of("weight", new float[64], 2, 32)), "weight", "head");
    byte[] whole = Files.readAllBytes(file);
    Path other = folder.resolve("other.pth");
    Random random = new Random(2);
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = whole.clone();
      bytes[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(other, i % 4 == 0 ? Arrays.copyOf(whole, i % whole.length) : bytes);
      try {
        for (StreamedTensor tensor : TorchFile.open(other).tensors().values()) {
          assertTrue(tensor.load().length <= 1024);
        }
      } catch (IOException e) {
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
        assertFalse(e.getMessage().contains("java."), e.getMessage());
      }
    }
  }

  private Path write(byte[] pickle) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ZipOutputStream zip = new ZipOutputStream(bytes);
    ZipEntry entry = new ZipEntry("archive/data.pkl");
    CRC32 checksum = new CRC32();
    checksum.update(pickle);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(pickle.length);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
    zip.write(pickle);
    zip.finish();
    return Files.write(folder.resolve("hostile.pth"), bytes.toByteArray());
  }
}

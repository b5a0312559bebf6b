package io.minimind.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {

  @TempDir Path folder;

  @Test
  void aFolderGoesWithAllThatIsInIt() throws IOException {
    Path doomed = Files.createDirectories(folder.resolve("a/b/c")).getParent().getParent();
    Files.writeString(doomed.resolve("b/file"), "");
    Files.writeString(doomed.resolve("b/c/file"), "");
    Folders.delete(doomed);
    assertFalse(Files.exists(doomed));
    Folders.delete(doomed);
    Path file = Files.writeString(folder.resolve("file"), "");
    Folders.delete(file);
    assertFalse(Files.exists(file));
  }

  @Test
  void whatCannotBeMadeIsSaid() throws IOException {
    Path made = folder.resolve("a/b");
    Folders.create(made);
    Folders.create(made);
    assertTrue(Files.isDirectory(made));
    Path file = Files.writeString(folder.resolve("file"), "");
    String message = assertThrows(IOException.class, () -> Folders.create(file)).getMessage();
    assertEquals("The folder %s cannot be made: %s is a file.".formatted(file, file), message);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void whatALinkLeadsToStays() throws IOException {
    Path kept = Files.writeString(Files.createDirectory(folder.resolve("kept")).resolve("f"), "");
    Path doomed = Files.createDirectory(folder.resolve("doomed"));
    Files.createSymbolicLink(doomed.resolve("link"), kept.getParent());
    Files.createSymbolicLink(doomed.resolve("dangling"), folder.resolve("nothing"));
    Folders.delete(doomed);
    assertFalse(Files.exists(doomed));
    assertTrue(Files.exists(kept));
  }

  @Test
  void aTemporaryFolderGoesWhenItIsClosed() throws IOException {
    Path path;
    try (TemporaryFolder temporary = TemporaryFolder.create()) {
      path = temporary.path();
      Files.writeString(Files.createDirectory(path.resolve("in")).resolve("file"), "");
    }
    assertFalse(Files.exists(path));
  }

  /** The example of FIPS 180-2. */
  @Test
  void digestsOfBytesAndOfFilesAreTheSame() throws IOException {
    String abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assertEquals(abc, Sha256.of("abc".getBytes(StandardCharsets.UTF_8)));
    Path a = Files.writeString(folder.resolve("a"), "a");
    Path bc = Files.writeString(folder.resolve("bc"), "bc");
    assertEquals(abc, Sha256.of(a, bc));
    byte[] large = new byte[200_001];
    large[200_000] = 1;
    assertEquals(Sha256.of(large), Sha256.of(Files.write(folder.resolve("large"), large)));
  }
}

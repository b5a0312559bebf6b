package io.minimind.examples;

import io.minimind.files.InputException;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Puts everything that the commands need into one folder: program, Java, native libraries. */
@Command(
    name = "bundle",
    description = {
      "Writes a folder with all that the commands need, to run them on other Linux machines with"
          + " an x86-64 processor. These need no Java, no Maven and no network."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "In the folder, ./minimind takes the same commands as here. To train with CUDA, such a"
          + " machine must have the NVIDIA driver, CUDA 13 and cuDNN 9."
    })
public final class Bundle implements Callable<Integer> {

  @Option(
      names = "--to",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; there must be none yet.")
  private Path to;

  @Option(names = "--cuda", description = "With the native libraries for CUDA, nearly 190 MB more.")
  private boolean cuda;

  @Option(
      names = "--split",
      paramLabel = "MIB",
      description = {
        "Writes a compressed archive beside the folder too, in parts of at most this size, and a"
            + " script that joins and unpacks them."
      })
  private Integer split;

  public static void main(String[] args) {
    MiniMind.run(new Bundle(), args);
  }

  @Override
  public Integer call() throws IOException {
    if (split != null) {
      Numbers.atLeast(1, "--split", split);
    }
    if (Files.exists(to)) {
      throw new InputException(to + " is there already: name another folder, or remove it.");
    }
    List<Path> classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(Path::of)
            .toList();
    requireNatives(classPath);
    BundleFolder.write(classPath, checkout(), to);
    System.out.printf(Locale.ROOT, "%s: %,d MB%n", to, size(to) / 1_000_000);
    if (split != null) {
      SplitArchive archive = SplitArchive.write(to, (long) split << 20);
      System.out.printf(
          Locale.ROOT,
          "%d parts; where they lie together, unpack them with sh %s%n",
          archive.parts().size(),
          archive.script().getFileName());
    }
    return 0;
  }

  private void requireNatives(List<Path> classPath) throws IOException {
    String jar = "onnxruntime-.*-" + BundleFolder.PLATFORM + (cuda ? BundleFolder.CUDA : ".jar");
    if (classPath.stream().noneMatch(path -> path.getFileName().toString().matches(jar))) {
      throw new InputException(
          "The native libraries on the class path are not those of a bundle %s CUDA: start ./minimind bundle on Linux with an x86-64 processor."
              .formatted(cuda ? "with" : "without"));
    }
  }

  /** The root of the project that these classes were compiled in. */
  private static Path checkout() throws IOException {
    try {
      Path classes =
          Path.of(Bundle.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path root = classes.resolve("../../..").normalize();
      if (!Files.isDirectory(root.resolve(BundleFolder.DATA))) {
        throw new InputException("A bundle is made from a checkout, and not from " + classes + ".");
      }
      return root;
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static long size(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }
}

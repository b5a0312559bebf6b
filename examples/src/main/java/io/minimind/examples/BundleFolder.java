package io.minimind.examples;

import io.minimind.files.Folders;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A folder that runs without anything installed: {@code minimind} to start it, {@code runtime} with
 * Java, {@code lib} with jars, {@code natives} with the libraries that JavaCPP would otherwise
 * unpack into the home directory, {@code examples/data} and the published model.
 */
final class BundleFolder {

  static final Path DATA = Path.of("examples", "data");

  /** The model that is talked to where none is named. */
  private static final Path MODEL = Path.of("models", "minimind-demo");

  /** Of the bindings of CUDA's many libraries, those that are used. */
  private static final String OF_CUDA = ".*/libjni(cudart|nccl)\\.so";

  private static final String LICENSE = "LICENSE";

  /** JavaCPP's name for the platform, which the jars with native libraries have in theirs. */
  static final String PLATFORM = "linux-x86_64";

  /** How the names of jars with libraries for CUDA go on after the platform. */
  static final String CUDA = "-gpu.jar";

  /** The modules of Java that the program and its libraries load classes from. */
  private static final String MODULES =
      "java.base,java.logging,java.management,jdk.management,jdk.unsupported";

  private static final String LAUNCHER =
      """
      #!/bin/sh
      # Runs a MiniMind command with what lies in this folder.
      home=$(dirname "$(readlink -f "$0")")

      # Without a locale, or in that of C, Java would garble names and texts that are not ASCII.
      case "$(locale charmap 2>/dev/null || true)" in
        "" | *ASCII* | ANSI_X3.4-1968) export LC_ALL=C.UTF-8 ;;
      esac

      exec "$home/runtime/bin/java" -XX:+UseSerialGC -Xms64m -Xmn32m -XX:-ShrinkHeapInSteps --enable-native-access=ALL-UNNAMED%s \\
        -Djava.library.path="$home/natives" -Dorg.bytedeco.javacpp.pathsFirst=true \\
        -Dminimind.home="$home" \\
        ${MINIMIND_JAVA_OPTIONS:-} -cp "$home/lib/*" io.minimind.examples.MiniMind "$@"
      """;

  private BundleFolder() {}

  /** Why this Java cannot make a bundle, or nothing if it can. */
  static Optional<String> problem() {
    Path java = Path.of(System.getProperty("java.home"));
    // From Java 24 on, jlink can do without jmods; if it cannot, it says so.
    boolean modules = Runtime.version().feature() >= 24 || Files.isDirectory(java.resolve("jmods"));
    return ToolProvider.findFirst("jlink").isPresent() && modules
        ? Optional.empty()
        : Optional.of(
            "The Java at %s cannot make a smaller one, because it lacks jlink or its folder jmods: use a complete JDK, such as Eclipse Temurin 17, and set JAVA_HOME."
                .formatted(java));
  }

  /**
   * @param classPath jars, and folders {@code MODULE/target/classes}
   * @param checkout root of the project, for the example data and the license
   * @param to appears when it is complete
   */
  static void write(List<Path> classPath, Path checkout, Path to) throws IOException {
    Optional<String> problem = problem();
    if (problem.isPresent()) {
      throw new InputException(problem.get());
    }
    try (TemporaryFolder temporary =
        new TemporaryFolder(Folders.createIn(to.toAbsolutePath().getParent(), "bundle"))) {
      Path folder = Files.createDirectory(temporary.path().resolve("bundle"));
      run(
          "jlink",
          "--add-modules=" + MODULES,
          "--strip-java-debug-attributes",
          "--no-header-files",
          "--no-man-pages",
          "--output=" + folder.resolve("runtime"));
      Path lib = Files.createDirectory(folder.resolve("lib"));
      Path natives = Files.createDirectory(folder.resolve("natives"));
      for (Path entry : classPath) {
        String name = entry.getFileName().toString();
        if (Files.isDirectory(entry)) {
          Path module = entry.getParent().getParent().getFileName();
          run("jar", "cf", lib.resolve(module + ".jar").toString(), "-C", entry.toString(), ".");
        } else if (name.contains(PLATFORM)) {
          unpack(entry, natives);
        } else {
          Files.copy(entry, lib.resolve(name));
        }
      }
      Files.copy(checkout.resolve(LICENSE), folder.resolve(LICENSE));
      for (Path part : List.of(DATA, MODEL)) {
        Files.createDirectory(folder.resolve(part).getParent());
        copy(checkout.resolve(part), folder.resolve(part));
      }
      Path launcher =
          Files.writeString(folder.resolve("minimind"), LAUNCHER.formatted(options(classPath)));
      Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.move(folder, to);
    }
  }

  private static String options(List<Path> classPath) {
    StringBuilder options = new StringBuilder();
    // From Java 23 on, a warning of how protobuf reads memory would come with every command.
    if (Runtime.version().feature() >= 23) {
      options.append(" --sun-misc-unsafe-memory-access=allow");
    }
    // JavaCPP would look for CUDA's libraries everywhere before it loads those of the CPU.
    if (classPath.stream().noneMatch(jar -> jar.toString().endsWith(PLATFORM + CUDA))) {
      options.append(" -Dorg.bytedeco.javacpp.platform.extension=");
    }
    return options.toString();
  }

  private static void run(String tool, String... args) throws IOException {
    StringWriter output = new StringWriter();
    PrintWriter writer = new PrintWriter(output);
    if (ToolProvider.findFirst(tool).orElseThrow().run(writer, writer, args) != 0) {
      throw new IOException(tool + " failed: " + output.toString().strip());
    }
  }

  /** The native libraries of a jar, without the folders that they lie in there. */
  private static void unpack(Path jar, Path natives) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : zip.stream().filter(BundleFolder::isLibrary).toList()) {
        String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        Files.copy(zip.getInputStream(entry), natives.resolve(name));
      }
    }
  }

  private static boolean isLibrary(ZipEntry entry) {
    String name = entry.getName();
    return name.matches(".*/lib[^/]*\\.so[.0-9]*")
        && (!name.startsWith("org/bytedeco/cuda/") || name.matches(OF_CUDA));
  }

  /** Copies what a build has not made. */
  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(f -> !f.startsWith(from.resolve("target"))).toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }
}

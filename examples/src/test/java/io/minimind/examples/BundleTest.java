package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Bundles, run as on a machine that has nothing. */
@EnabledOnOs(OS.LINUX)
class BundleTest {

  @TempDir Path folder;

  @Test
  void trainsAndWritesWhereNothingIsInstalled() throws Exception {
    assumeTrue("amd64".equals(System.getProperty("os.arch")), "bundles are for x86-64");
    Optional<String> problem = BundleFolder.problem();
    assumeTrue(problem.isEmpty(), () -> problem.get());
    Path bundle = folder.resolve("bundle");
    List<String> said = bundle("--to=" + bundle, "--split=48");
    assertTrue(said.get(0).matches("\\Q" + bundle + "\\E: \\d+ MB"), said.get(0));
    Matcher parts =
        Pattern.compile("(\\d+) parts; where they lie together, unpack them with sh (\\S+)")
            .matcher(said.get(1));
    assertTrue(parts.matches(), said.get(1));

    // Other paths than where the bundle was made, and no other programs than the launcher needs.
    Path elsewhere = Files.createDirectory(folder.resolve("moved here"));
    int moves = moveFiles(folder, elsewhere);
    assertEquals(Integer.parseInt(parts.group(1)) + 1, moves, "parts, and the script");
    Process unpack = new ProcessBuilder("sh", elsewhere.resolve(parts.group(2)).toString()).start();
    assertEquals(0, unpack.waitFor());
    Path moved = elsewhere.resolve("bundle");
    assertEquals(Commands.contents(bundle), Commands.contents(moved));
    Path programs = Files.createDirectory(folder.resolve("programs"));
    for (String program : List.of("dirname", "readlink")) {
      Files.createSymbolicLink(programs.resolve(program), Path.of("/usr/bin", program));
    }
    runIn(
        moved,
        programs,
        Commands.pretrain(
            Path.of("out"),
            Path.of("cache"),
            "--data=examples/data/pretrain_valid.csv",
            "--tokenizer=examples/data/tokenizer",
            "--prompts=examples/data/prompts.txt",
            "--max-updates=1"));
    assertTrue(Files.size(moved.resolve("out/samples.txt")) > 0);
    runIn(moved, programs, "eval", "pretrain", "--model=out", "--max-new-tokens=2");
  }

  /** What the command prints, run on the class path of the launcher. */
  private static List<String> bundle(String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", classPathWithoutTests(), Bundle.class.getName()));
    command.addAll(List.of(options));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines = process.inputReader(StandardCharsets.UTF_8).lines().toList();
    assertEquals(0, process.waitFor(), lines.toString());
    return lines;
  }

  private static String classPathWithoutTests() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(path -> !Path.of(path).endsWith("test-classes"))
        .filter(path -> Files.exists(Path.of(path)))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static int moveFiles(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      List<Path> moved = files.filter(Files::isRegularFile).toList();
      for (Path file : moved) {
        Files.move(file, to.resolve(file.getFileName()));
      }
      return moved.size();
    }
  }

  private static void runIn(Path bundle, Path programs, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(bundle.resolve("minimind").toString()));
    command.addAll(Arrays.asList(args));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(bundle.toFile()).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().put("PATH", programs.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
  }

  @Test
  void partsOfAnArchiveMakeTheFolderAgain() throws Exception {
    Path packed = Files.createDirectories(folder.resolve("packed"));
    byte[] noise = new byte[300_000];
    new Random(1).nextBytes(noise);
    Files.createDirectories(packed.resolve("inner"));
    Files.write(packed.resolve("inner").resolve("noise"), noise);
    Files.createFile(packed.resolve("empty"));

    SplitArchive archive = SplitArchive.write(packed, 100_000);

    List<Path> parts = archive.parts();
    assertTrue(parts.size() > 3, "300 KB of noise do not fit into three parts: " + parts);
    for (Path part : parts.subList(0, parts.size() - 1)) {
      assertEquals(100_000, Files.size(part));
    }
    Path elsewhere = Files.createDirectory(folder.resolve("else where"));
    for (Path part : parts) {
      Files.move(part, elsewhere.resolve(part.getFileName()));
    }
    Path script = Files.move(archive.script(), elsewhere.resolve("unpack.sh"));
    Process unpack = new ProcessBuilder("sh", script.toString()).start();
    assertEquals(0, unpack.waitFor());
    assertEquals(Commands.contents(packed), Commands.contents(elsewhere.resolve("packed")));
  }

  @Test
  void mistakes() throws IOException {
    Map<Path, ByteBuffer> before = Commands.contents(folder);
    Commands.Result there = Commands.run("bundle", "--to=" + folder);
    assertEquals(1, there.status());
    assertTrue(there.err().contains(folder + " is there already"), there.err());
    Commands.Result size = Commands.run("bundle", "--to=" + folder.resolve("b"), "--split=0");
    assertEquals(2, size.status());
    assertTrue(size.err().contains("--split must be at least 1, but is 0."), size.err());
    assumeFalse(
        System.getProperty("java.class.path").contains(BundleFolder.CUDA),
        "the natives for CUDA are there");
    Commands.Result cuda = Commands.run("bundle", "--to=" + folder.resolve("b"), "--cuda");
    assertEquals(1, cuda.status());
    assertTrue(cuda.err().contains("are not those of a bundle with CUDA"), cuda.err());
    assertEquals(before, Commands.contents(folder));
  }
}

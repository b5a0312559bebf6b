package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import io.minimind.distributed.Membership;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/**
 * What docs/several-machines.md tells people to write, as far as it can be tried without Slurm and
 * Kubernetes: these are stood in for.
 */
class SeveralMachinesPageTest {

  private static final Path PAGE =
      Path.of("").toAbsolutePath().getParent().resolve("docs/several-machines.md");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)\n(.*?)^```$");
  private static final Pattern DIRECTIVE = Pattern.compile("(?m)^#SBATCH (\\S+)$");

  /** Of sbatch, those with a value that is a word or a number, and the one without. */
  private static final Pattern OPTION =
      Pattern.compile(
          "--job-name=\\w+|--nodes=\\d+|--ntasks-per-node=\\d+|--cpus-per-task=\\d+"
              + "|--time=\\d+:\\d\\d:\\d\\d|--requeue");

  /** Says what it was given instead of training. */
  private static final String STAND_IN =
      "#!/bin/sh\necho \"$RANK $WORLD_SIZE $MASTER_ADDR $MASTER_PORT $*\"\n";

  @TempDir Path folder;

  private static List<String> blocks(String language) throws IOException {
    return BLOCK
        .matcher(Files.readString(PAGE))
        .results()
        .filter(block -> block.group(1).equals(language))
        .map(block -> block.group(2))
        .toList();
  }

  private static Map<String, JsonNode> manifests() throws IOException {
    Map<String, JsonNode> manifests = new TreeMap<>();
    for (String block : blocks("yaml")) {
      for (Object one : new Yaml().loadAll(block)) {
        JsonNode manifest = new ObjectMapper().valueToTree(one);
        manifests.put(manifest.path("kind").asText(), manifest);
      }
    }
    return manifests;
  }

  @Test
  void manifestsAreWhatTheirResourcesAllow() throws IOException {
    Map<String, JsonNode> manifests = manifests();
    assertEquals(Set.of("PyTorchJob", "TrainJob", "TrainingRuntime"), manifests.keySet());
    try (InputStream file =
        SeveralMachinesPageTest.class.getResourceAsStream("manifests.schema.json")) {
      JsonSchema schema = JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(file);
      manifests.forEach((kind, manifest) -> assertEquals(Set.of(), schema.validate(manifest)));
    }
    assertEquals(
        manifests.get("TrainingRuntime").at("/metadata/name"),
        manifests.get("TrainJob").at("/spec/runtimeRef/name"));
  }

  private static List<String> words(JsonNode... lists) {
    List<String> words = new ArrayList<>();
    for (JsonNode list : lists) {
      StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).forEach(words::add);
    }
    return words;
  }

  private static void requireCommand(List<String> args) {
    MiniMind.commandLine(new MiniMind()).parseArgs(args.toArray(String[]::new));
    assertTrue(args.contains("--resume-or-begin"), args::toString);
  }

  @Test
  void whatKubernetesStartsIsACommand() throws IOException {
    for (String role : List.of("Master", "Worker")) {
      JsonNode container =
          manifests()
              .get("PyTorchJob")
              .at("/spec/pytorchReplicaSpecs/" + role + "/template/spec/containers/0");
      List<String> words = words(container.path("command"), container.path("args"));
      assertEquals("/minimind/minimind", words.get(0));
      requireCommand(words.subList(1, words.size()));
    }
  }

  private String output(Map<String, String> environment, List<String> command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().putAll(environment);
    builder.environment().put("PATH", folder + ":" + System.getenv("PATH"));
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private void write(String name, String script) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, script);
    assertTrue(file.toFile().setExecutable(true));
  }

  /** Lines of {@link #STAND_IN}: each a process of as many, all of which find the first. */
  private static void requireGroup(String output, String first) {
    List<String[]> lines =
        output
            .lines()
            .map(line -> line.split(" "))
            .sorted(Comparator.comparing(a -> a[0]))
            .toList();
    for (int rank = 0; rank < lines.size(); rank++) {
      String[] line = lines.get(rank);
      Map<String, String> environment = new HashMap<>();
      environment.put("RANK", line[0]);
      environment.put("WORLD_SIZE", line[1]);
      environment.put("MASTER_ADDR", line[2]);
      environment.put("MASTER_PORT", line[3]);
      Membership membership = Membership.of(environment).orElseThrow();
      assertEquals(rank, membership.rank());
      assertEquals(lines.size(), membership.size());
      assertEquals(first, membership.first().getHostString());
      requireCommand(Arrays.asList(line).subList(4, line.length));
    }
  }

  /** With the variables that the trainer sets. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void theShellOfATrainJobTellsEachWhichItIs() throws Exception {
    JsonNode trainer = manifests().get("TrainJob").at("/spec/trainer");
    write("minimind", STAND_IN);
    List<String> words = words(trainer.path("command"), trainer.path("args"));
    words.replaceAll(word -> word.replace("/minimind/minimind", "./minimind"));
    StringBuilder output = new StringBuilder();
    int nodes = trainer.path("numNodes").asInt();
    for (int node = 0; node < nodes; node++) {
      Map<String, String> environment = new HashMap<>();
      environment.put("PET_NNODES", Integer.toString(nodes));
      environment.put("PET_NODE_RANK", Integer.toString(node));
      environment.put("PET_MASTER_ADDR", "minimind-node-0-0.minimind");
      environment.put("PET_MASTER_PORT", "29400");
      output.append(output(environment, words));
    }
    requireGroup(output.toString(), "minimind-node-0-0.minimind");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void theScriptOfSlurmStartsAGroup() throws Exception {
    String script =
        blocks("sh").stream().filter(one -> one.contains("#SBATCH")).findFirst().orElseThrow();
    List<String> directives =
        DIRECTIVE.matcher(script).results().map((MatchResult found) -> found.group(1)).toList();
    assertTrue(directives.size() > 3, directives::toString);
    for (String directive : directives) {
      assertTrue(OPTION.matcher(directive).matches(), directive);
    }
    write("minimind", STAND_IN);
    write(
        "scontrol",
        "#!/bin/sh\n[ \"$*\" = 'show hostnames node[1-2]' ] && printf 'node1\\nnode2\\n'\n");
    write(
        "srun", "#!/bin/sh\nshift\nfor task in 1 0; do SLURM_PROCID=$task \"$@\" || exit; done\n");
    write("job", script);
    Map<String, String> environment = new HashMap<>();
    environment.put("SLURM_JOB_NODELIST", "node[1-2]");
    environment.put("SLURM_JOB_ID", "4711");
    environment.put("SLURM_NTASKS", "2");
    environment.put("SLURM_CPUS_PER_TASK", "16");
    assertEquals("", output(environment, List.of("bash", "-n", "job")));
    requireGroup(output(environment, List.of("bash", "job")), "node1");
  }
}

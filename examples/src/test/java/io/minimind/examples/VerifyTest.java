package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.runtime.Device;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class VerifyTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FAILED = "FAILED";

  @TempDir private Path temporary;

  private record Run(int status, String out, String err) {

    List<String> linesWith(String word) {
      return out.lines().filter(line -> line.contains(word)).toList();
    }

    static Run of(Path golden, Path data, Path tokenizer) {
      return on("cpu", golden, data, tokenizer);
    }

    static Run on(String devices, Path golden, Path data, Path tokenizer) {
      StringWriter out = new StringWriter();
      StringWriter err = new StringWriter();
      CommandLine command = MiniMind.commandLine(new Verify());
      command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
      int status =
          command.execute(
              "--golden=" + golden,
              "--data=" + data,
              "--tokenizer=" + tokenizer,
              "--devices=" + devices);
      return new Run(status, out.toString(), err.toString());
    }
  }

  @Test
  void everyImplementedReferenceIsMet() {
    Path shared = shared();
    Run run =
        Run.of(
            shared.resolve("golden"), shared.resolve("data"), shared.resolve("tokenizer/minimind"));
    assertEquals(0, run.status(), run.out() + run.err());
    assertEquals(List.of(), run.linesWith(FAILED));
    assertEquals(35, run.linesWith("  ok").size(), run.out());
    assertEquals(1, run.linesWith("skipped").size(), "what is skipped is named");
    assertEquals("", run.err());
  }

  @Test
  void everyImplementedReferenceOfTheThirdVersionIsMet() {
    Path golden = third();
    Run run = Run.of(golden, golden, golden.resolve("tokenizer"));
    assertEquals(0, run.status(), run.out() + run.err());
    assertEquals(List.of(), run.linesWith(FAILED));
    assertTrue(run.linesWith("  ok").size() >= 94, run.out());
    assertEquals("", run.err());
  }

  /** Each number that is read decides. */
  @Test
  void aReferenceOfTheThirdVersionBeyondItsLimitFails() throws IOException {
    Path golden = copy(third());
    edit(
        golden.resolve("head_dense.json"),
        root -> {
          add(root.withArray("losses"), 7, 3e-4);
          ObjectNode norms = (ObjectNode) root.get("weight_norms_after");
          String norm = "model.layers.1.self_attn.q_norm.weight";
          norms.put(norm, norms.required(norm).doubleValue() * 1.01);
        });
    edit(
        golden.resolve("head_dense_accumulation.json"),
        root -> {
          add(root.withArray("grad_norms_before_clip"), 2, -2e-3);
          root.put("loss_after", root.required("loss_after").doubleValue() + 3e-4);
        });
    editTensor(golden.resolve("head_dense.step0.safetensors"), "__logits__", 2e-4f);
    editTensor(
        golden.resolve("head_moe_top1.step0.safetensors"), "model.layers.1.mlp.gate.weight", 0.01f);
    edit(
        golden.resolve("head_moe_top2.json"),
        root -> {
          ObjectNode layer = (ObjectNode) root.at("/first_batch_layers/1");
          layer.put("aux_loss", layer.required("aux_loss").doubleValue() + 2e-5);
          add((ArrayNode) layer.at("/weights/30"), 1, 1e-4);
          add((ArrayNode) layer.at("/scores/3"), 0, 1e-4);
        });
    edit(
        golden.resolve("head_generate.json"),
        root -> {
          add((ArrayNode) root.at("/greedy/0/new_tokens"), 3, 1);
          add((ArrayNode) root.at("/left_padded_batch/new_tokens/1"), 2, 1);
          ObjectNode probabilities = (ObjectNode) root.at("/distributions/1/probs");
          String id = probabilities.fieldNames().next();
          probabilities.put(id, probabilities.required(id).doubleValue() + 2e-5);
        });
    editTensor(golden.resolve("head_yarn.safetensors"), "factor4.logits", 2e-4f);
    edit(
        golden.resolve("head_init.json"),
        root -> {
          ObjectNode dense = (ObjectNode) root.at("/models/0");
          dense.put("parameters", dense.required("parameters").longValue() + 1);
          ObjectNode drawn = (ObjectNode) root.at("/models/1/tensors/0");
          drawn.put("std", drawn.required("std").doubleValue() * 1.01);
        });
    Run run = Run.of(golden, golden, golden.resolve("tokenizer"));
    assertEquals(1, run.status(), run.out() + run.err());
    Set<String> failed = new TreeSet<>();
    run.linesWith("FAILED, ")
        .forEach(line -> failed.add(line.replaceFirst(" +[0-9.e+-]+  limit.*", "").strip()));
    assertEquals(
        Set.of(
            "head_dense losses",
            "head_dense weight norms",
            "head_dense logits",
            "head_dense_accumulation gradient norms",
            "head_dense_accumulation loss after training",
            "head_moe_top1 gradients",
            "head_moe_top2 balance loss",
            "head_moe_top2 weights",
            "head_moe_top2 scores",
            "head_generate greedy",
            "head_generate left-padded batch",
            "head_generate distributions",
            "head_yarn factor4",
            "head_init dense parameters",
            "head_init moe deviations"),
        failed);
  }

  @Test
  void aGpuMeetsTheReferencesOfTraining() {
    Optional<String> problem = Device.problem(Device.parse("cuda:0"));
    Assumptions.assumeTrue(problem.isEmpty(), problem::get);
    Path shared = shared();
    Run run =
        Run.on(
            "cuda:0",
            shared.resolve("golden"),
            shared.resolve("data"),
            shared.resolve("tokenizer/minimind"));
    assertEquals(0, run.status(), run.out() + run.err());
    assertEquals(List.of(), run.linesWith(FAILED));
  }

  @Test
  void theDeviceMustBeOneThatIsThere() {
    assertRefused(Run.on("cpu:2", temporary, temporary, temporary), "cpu:2");
    Optional<String> problem = Device.problem(Device.parse("cuda:0"));
    Assumptions.assumeTrue(problem.isPresent(), "There is a GPU.");
    assertRefused(Run.on("cuda:0", temporary, temporary, temporary), problem.get());
  }

  @Test
  void aReferenceBeyondItsLimitFails() throws IOException {
    Path golden = copyOfGolden();
    edit(golden.resolve("dense.json"), root -> add(root.withArray("losses"), 7, 3e-4));
    edit(
        golden.resolve("dense_accumulation.json"),
        root -> {
          add(root.withArray("grad_norms_before_clip"), 9, -2e-3);
          root.put("loss_after", root.required("loss_after").doubleValue() + 3e-4);
        });
    editTensor(golden.resolve("dense.step0.safetensors"), "__logits__", 2e-4f);
    editTensor(
        golden.resolve("dense_accumulation.step0.safetensors"), "layers.1.ffn_norm.weight", 0.01f);
    edit(
        golden.resolve("generate.json"),
        root -> {
          add((ArrayNode) root.at("/greedy/0/new_tokens"), 3, 1);
          ObjectNode probabilities = (ObjectNode) root.at("/distributions/1/probs");
          String id = probabilities.fieldNames().next();
          probabilities.put(id, probabilities.required(id).doubleValue() + 2e-5);
        });
    edit(golden.resolve("encodings.json"), VerifyTest::dropLastTarget);
    edit(golden.resolve("trained_tokenizer/tokenizer.json"), VerifyTest::swapLastMerges);
    appendToFirst(golden.resolve("chat_template.json"), "rendered", " ");
    appendToFirst(golden.resolve("jinja_units.json"), "template", "{% endfor %}");
    edit(
        golden.resolve("moe_gate.json"),
        root -> {
          ArrayNode experts = (ArrayNode) root.at("/per_layer/1/experts/30");
          experts.set(0, 6 - experts.get(0).intValue() - experts.get(1).intValue());
          ObjectNode layer = (ObjectNode) root.at("/per_layer/0");
          layer.put("aux_loss", layer.required("aux_loss").doubleValue() + 2e-4);
        });
    editTensor(golden.resolve("moe.step0.safetensors"), "layers.1.feed_forward.gate.weight", 0.01f);
    edit(
        golden.resolve("dpo.json"),
        root -> {
          ObjectNode step = (ObjectNode) root.at("/steps/5");
          // Sums of about 100, of which 1e-5 is the limit.
          add(step.withArray("policy_rejected_logps"), 2, 2e-3);
          add(step.withArray("reference_chosen_logps"), 1, -2e-3);
          step.put("loss", step.required("loss").doubleValue() + 3e-4);
          step.put("reward_margin", step.required("reward_margin").doubleValue() - 3e-4);
        });

    Path shared = shared();
    Run run = Run.of(golden, shared.resolve("data"), shared.resolve("tokenizer/minimind"));
    assertEquals(1, run.status(), run.out() + run.err());
    Set<String> failed = new TreeSet<>();
    run.linesWith("FAILED, ").forEach(line -> failed.add(line.substring(0, 40).strip()));
    assertEquals(
        Set.of(
            "dense losses",
            "dense_accumulation gradient norms",
            "dense_accumulation loss after training",
            "dense logits",
            "dense_accumulation gradients",
            "dpo losses",
            "dpo policy log-probabilities",
            "dpo reference log-probabilities",
            "dpo reward margins",
            "moe gradients",
            "moe_gate experts",
            "moe_gate weights",
            "moe_gate balance loss",
            "generate greedy",
            "generate distributions",
            "encodings pretrain",
            "encodings sft_single",
            "encodings sft_multi",
            "chat_template",
            "jinja_units",
            "trained_tokenizer vocabulary",
            "trained_tokenizer merges"),
        failed);
    assertTrue(run.linesWith("dense losses").get(0).endsWith("worst at batch 7"), run.out());
    assertTrue(run.out().endsWith("23 of 36 cases FAILED.%n".formatted()), run.out());
  }

  /** The last target of the first sample of each kind no longer counts. */
  private static void dropLastTarget(ObjectNode root) {
    for (String kind : List.of("pretrain", "sft_single", "sft_multi")) {
      ArrayNode mask = (ArrayNode) root.at("/" + kind + "/samples/0/loss_mask");
      int last = mask.size() - 1;
      while (mask.get(last).intValue() == 0) {
        last--;
      }
      mask.set(last, 0);
    }
  }

  /** The tokens of the last two merges change places. */
  private static void swapLastMerges(ObjectNode root) {
    ArrayNode merges = (ArrayNode) root.at("/model/merges");
    int last = merges.size() - 1;
    JsonNode merge = merges.get(last);
    merges.set(last, merges.get(last - 1));
    merges.set(last - 1, merge);
    ObjectNode vocabulary = (ObjectNode) root.at("/model/vocab");
    int size = vocabulary.size();
    vocabulary.properties().stream()
        .filter(token -> token.getValue().intValue() >= size - 2)
        .forEach(
            token -> token.setValue(IntNode.valueOf(2 * size - 3 - token.getValue().intValue())));
  }

  private static void add(ArrayNode numbers, int index, double difference) {
    if (numbers.get(index).isInt()) {
      numbers.set(index, numbers.get(index).intValue() + (int) difference);
    } else {
      numbers.set(index, numbers.get(index).doubleValue() + difference);
    }
  }

  /** Appends to a field of the first object of a list. */
  private static void appendToFirst(Path file, String field, String text) throws IOException {
    JsonNode root = JSON.readTree(file.toFile());
    ObjectNode first = (ObjectNode) root.get(0);
    first.put(field, first.required(field).textValue() + text);
    JSON.writeValue(file.toFile(), root);
  }

  private static void edit(Path file, Consumer<ObjectNode> change) throws IOException {
    JsonNode root = JSON.readTree(file.toFile());
    change.accept((ObjectNode) root);
    JSON.writeValue(file.toFile(), root);
  }

  /** Adds to one element of a tensor. */
  private static void editTensor(Path file, String name, float difference) throws IOException {
    List<NamedTensor> tensors = new ArrayList<>();
    for (NamedTensor tensor : SafetensorsFile.open(file).tensors()) {
      if (tensor.name().equals(name)) {
        float[] values = new float[(int) tensor.elements()];
        tensor.floats().get(values);
        values[values.length / 2] += difference;
        tensors.add(NamedTensor.ofFloats(name, values, tensor.shape()));
      } else {
        tensors.add(tensor);
      }
    }
    SafetensorsFile.write(file, tensors, Map.of());
  }

  @Test
  void whatIsMissingIsNamedInOneSentence() throws IOException {
    Path nowhere = temporary.resolve("nowhere");
    assertRefused(Run.of(nowhere, nowhere, nowhere), nowhere.toString());
    assertRefused(Run.of(temporary, nowhere, nowhere), nowhere.toString());

    Path golden = copyOfGolden();
    Path data = shared().resolve("data");
    Path tokenizer = shared().resolve("tokenizer/minimind");
    assertRefused(Run.of(golden, nowhere, tokenizer), nowhere.resolve("pretrain_data.csv") + ":");
    Path texts = Files.createDirectory(temporary.resolve("data"));
    for (String file : List.of("pretrain_data.csv", "sft_data_single.csv", "sft_data_multi.csv")) {
      Files.copy(data.resolve(file), texts.resolve(file));
    }
    Path corpus = texts.resolve("tokenizer_train.jsonl");
    assertRefused(Run.of(golden, texts, tokenizer), corpus + ":");
    Files.writeString(corpus, "{\"text\": \"a\"}\nb\n");
    assertRefused(
        Run.of(golden, texts, tokenizer),
        "Row 2 of " + corpus + " (line 2) cannot be used: it is not JSON");
    Path generate = golden.resolve("generate.json");
    edit(generate, root -> root.remove("logits"));
    assertRefused(Run.of(golden, data, tokenizer), "\"logits\" is missing.");
    Files.writeString(generate, "{\"config\": ");
    assertRefused(Run.of(golden, data, tokenizer), generate + " is damaged");
    Files.delete(golden.resolve("generate.json"));
    assertRefused(Run.of(golden, data, tokenizer), "lack the file generate.json");
  }

  private static void assertRefused(Run run, String part) {
    assertEquals(2, run.status(), run.out() + run.err());
    assertTrue(run.err().contains(part), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().strip().endsWith("."), run.err());
    assertFalse(run.err().contains("Exception"), run.err());
  }

  private Path copyOfGolden() throws IOException {
    return copy(shared().resolve("golden"));
  }

  private Path copy(Path golden) throws IOException {
    Path copy = temporary.resolve("golden");
    try (Stream<Path> files = Files.walk(golden)) {
      for (Path file : files.toList()) {
        Path to = copy.resolve(golden.relativize(file).toString());
        Files.copy(file, to);
        assertTrue(to.toFile().setWritable(true));
      }
    }
    return copy;
  }

  /** The references of MiniMind's third version beside them. */
  private static Path third() {
    Path golden = shared().resolve("golden-head");
    Assumptions.assumeTrue(Files.isDirectory(golden), "no folder shared/golden-head");
    return golden;
  }

  /** The folder of references that may lie beside a checkout. */
  private static Path shared() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isDirectory(at.resolve("shared/golden"))) {
        return at.resolve("shared");
      }
    }
    return Assumptions.abort("no folder shared/golden beside this checkout");
  }
}

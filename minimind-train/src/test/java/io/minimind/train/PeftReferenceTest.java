package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.artifact.Objective;
import io.minimind.artifact.OptimizerSettings;
import io.minimind.artifact.StoredAdapter;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.interchange.AdapterImport;
import io.minimind.interchange.ModelImport;
import io.minimind.model.LowRankAdapters;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.Parameter;
import io.minimind.model.Parameters;
import io.minimind.model.TensorNames;
import io.minimind.runtime.ModelInTraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.weights.NamedTensor;
import io.minimind.weights.SafetensorsFile;
import io.minimind.weights.TrainingCheckpoint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model of Qwen3's shape is imported, and adapters are trained beside it as PEFT does it on the
 * same batches: new ones, and one of PEFT's that is gone on with. {@code reference.py} beside
 * {@code reference.json} says how the numbers came to be.
 */
class PeftReferenceTest {

  private static final LowRankAdapters ADAPTERS =
      new LowRankAdapters(8, 16, LowRankAdapters.TARGETS);

  /**
   * @param text of which each step takes rows of bytes, one more than their length
   */
  private record Reference(
      int rows,
      int length,
      float learningRate,
      String text,
      double[] losses,
      double[] gradientNorms,
      double[] lossesAfter) {

    static Reference read(String file) throws IOException {
      try (InputStream json = PeftReferenceTest.class.getResourceAsStream("peft/" + file)) {
        return new ObjectMapper().readValue(json, Reference.class);
      }
    }

    Batch batch(int step) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      long[] ids = new long[rows * length];
      long[] labels = new long[rows * length];
      float[] mask = new float[rows * length];
      Arrays.fill(mask, 1);
      for (int row = 0; row < rows; row++) {
        int at = (step * rows + row) * (length + 1);
        for (int i = 0; i < length; i++) {
          ids[row * length + i] = bytes[at + i] & 0xFF;
          labels[row * length + i] = bytes[at + i + 1] & 0xFF;
        }
      }
      return Batch.of(rows, length, ids, labels, mask);
    }
  }

  @TempDir Path folder;

  @Test
  void adaptersLearnAsWithPeft() throws IOException {
    ModelConfig config = imported();
    learnsAs(Reference.read("reference.json"), config, new StoredAdapter(ADAPTERS, start(config)));
  }

  @Test
  void anAdapterOfPeftGoesOnAsWithPeft() throws IOException {
    ModelConfig config = imported();
    StoredAdapter adapter = AdapterImport.read(saved(config), config);
    assertEquals(List.of("wq", "wv", "w2"), adapter.adapters().targets());
    learnsAs(Reference.read("continued.json"), config, adapter);
  }

  private void learnsAs(Reference reference, ModelConfig config, StoredAdapter adapter)
      throws IOException {
    TrainingArtifacts graphs =
        new TrainingArtifacts(config, new Objective.NextToken(), Optional.of(adapter.adapters()));
    Path start = folder.resolve("start");
    new TrainingCheckpoint(
            adapter.tensors(),
            ModelFolder.weights(folder.resolve("model"), config),
            Optional.empty(),
            TrainingCheckpoint.Properties.NONE)
        .write(start);
    try (ModelInTraining session =
        ModelInTraining.builder(graphs)
            .checkpoint(start)
            .folder(folder.resolve("graphs"))
            .optimizer(OptimizerSettings.DEFAULT)
            .threads(1)
            .openOne()) {
      for (int step = 0; step < reference.losses.length; step++) {
        session.resetGradients();
        try (Batch batch = reference.batch(step)) {
          ModelInTraining.Step found = session.trainStep(batch, 1, Float.POSITIVE_INFINITY);
          assertEquals(reference.losses[step], found.loss(), 2e-4, "loss of step " + step);
          double norm = reference.gradientNorms[step];
          assertEquals(norm, found.gradientNorm(), 1e-3 * norm, "gradients of step " + step);
        }
        session.optimizerStep(reference.learningRate);
      }
      for (int step = 0; step < reference.lossesAfter.length; step++) {
        try (Batch batch = reference.batch(step)) {
          double after = session.evaluate(batch).loss();
          assertEquals(reference.lossesAfter[step], after, 2e-4);
          assertTrue(after < reference.losses[step] - 0.5, "it has learnt: " + after);
        }
      }
    }
  }

  /** The folder of an adapter as PEFT saves it. */
  private Path saved(ModelConfig config) throws IOException {
    Path peft = Files.createDirectories(folder.resolve("peft"));
    List<NamedTensor> tensors = new ArrayList<>();
    for (Parameter parameter : new Parameters(config).all()) {
      if (parameter
          .role()
          .adapterTarget()
          .filter(List.of("wq", "wv", "w2")::contains)
          .isPresent()) {
        String module = TensorNames.TRANSFORMERS.module(parameter.role(), parameter.layer(), -1);
        String a = module + ".lora_A.weight";
        String b = module + ".lora_B.weight";
        tensors.add(numbers("base_model.model." + a, a, 4, parameter.shape().extents()[1]));
        tensors.add(numbers("base_model.model." + b, b, parameter.shape().extents()[0], 4));
      }
    }
    SafetensorsFile.write(peft.resolve("adapter_model.safetensors"), tensors, Map.of());
    Files.writeString(
        peft.resolve("adapter_config.json"),
        """
        {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 3, "use_rslora": true,
         "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": false, "inference_mode": true,
         "target_modules": ["q_proj", "v_proj", "down_proj"]}
        """);
    return peft;
  }

  /** The base, as transformers keeps it, made a model of ours. */
  private ModelConfig imported() throws IOException {
    ModelConfig shape =
        ModelConfig.minimind3(64, 2, 4, 2, 259, 128).toBuilder()
            .headSize(32)
            .feedForwardSize(128)
            .build();
    assertTrue(shape.has(Part.QUERY_KEY_NORM));
    Path source = Files.createDirectories(folder.resolve("qwen3"));
    List<NamedTensor> weights = new ArrayList<>();
    for (Parameter parameter : new Parameters(shape).all()) {
      String name = TensorNames.TRANSFORMERS.of(parameter);
      weights.add(numbers(name, name, parameter.shape().extents()));
    }
    SafetensorsFile.write(source.resolve("model.safetensors"), weights, Map.of("format", "pt"));
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.putArray("architectures").add("Qwen3ForCausalLM");
    json.put("model_type", "qwen3").put("vocab_size", 259).put("hidden_size", 64);
    json.put("num_hidden_layers", 2).put("num_attention_heads", 4).put("num_key_value_heads", 2);
    json.put("head_dim", 32).put("intermediate_size", 128).put("max_position_embeddings", 128);
    json.put("rms_norm_eps", 1e-6).put("rope_theta", 1e6).put("tie_word_embeddings", true);
    Files.writeString(source.resolve("config.json"), json.toString());
    ByteLevelBpeTrainer.ofSize(259).train(List.of("a").iterator()).save(source);
    return ModelImport.from(source).to(folder.resolve("model")).config();
  }

  /** A as PEFT has it, B zeros. */
  private static List<NamedTensor> start(ModelConfig config) {
    Map<String, String> theirs = new HashMap<>();
    for (Parameter parameter : new Parameters(config).all()) {
      theirs.put(
          parameter.module() + ".lora_A.weight",
          TensorNames.TRANSFORMERS.module(parameter.role(), parameter.layer(), parameter.expert())
              + ".lora_A.weight");
    }
    List<NamedTensor> adapters = new ArrayList<>();
    for (Parameter parameter : ADAPTERS.parameters(config)) {
      long[] shape = parameter.shape().extents();
      adapters.add(
          theirs.containsKey(parameter.name())
              ? numbers(parameter.name(), theirs.get(parameter.name()), shape)
              : parameter.start(1));
    }
    return adapters;
  }

  /** The numbers that {@code reference.py} computes of a name. */
  private static NamedTensor numbers(String ours, String name, long... shape) {
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.UTF_8));
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      int x = (int) crc.getValue() + i * 0x9E3779B1;
      x = (x ^ x >>> 16) * 0x85EBCA6B;
      x = (x ^ x >>> 13) * 0xC2B2AE35;
      x ^= x >>> 16;
      double value = Integer.toUnsignedLong(x) / 0x1p31 - 1;
      values[i] =
          (float)
              (shape.length == 1
                  ? 1 + 0.2 * value
                  : value * (name.contains("embed") ? 0.5 : 1.5 / Math.sqrt(shape[1])));
    }
    return NamedTensor.ofFloats(ours, values, shape);
  }
}

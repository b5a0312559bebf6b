package io.minimind.weights;

/** The flatbuffer tables of ONNX Runtime's training checkpoint, their fields in order. */
final class CheckpointSchema {

  static final String IDENTIFIER = "ODTC";
  static final int VERSION = 2;

  /** The only optimizer group that the runtime knows. */
  static final String OPTIMIZER_GROUP = "group0";

  static final String FIRST_MOMENT = "momentum0";
  static final String SECOND_MOMENT = "momentum1";

  enum Checkpoint {
    VERSION,
    MODULE_STATE,
    OPTIMIZER_GROUPS,
    PROPERTY_BAG
  }

  enum ModuleState {
    REQUIRES_GRAD_PARAMS,
    FROZEN_PARAMS,
    IS_NOMINAL_STATE,
    HAS_EXTERNAL_DATA
  }

  enum OptimizerGroup {
    GROUP_NAME,
    STEP,
    INITIAL_LEARNING_RATE,
    OPTIMIZER_STATES
  }

  enum ParameterOptimizerState {
    PARAM_NAME,
    MOMENTUMS
  }

  enum PropertyBag {
    INTS,
    FLOATS,
    STRINGS
  }

  /** The properties of all three types. */
  enum Property {
    NAME,
    VALUE
  }

  enum Tensor {
    NAME,
    DOC_STRING,
    DIMS,
    DATA_TYPE,
    RAW_DATA,
    STRING_DATA,
    EXTERNAL_DATA_OFFSET
  }

  private CheckpointSchema() {}
}

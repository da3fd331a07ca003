"use strict";
// An OPC UA server with one machine for each companion specification, made from the official
// NodeSets.

const {
  DataType,
  OPCUAServer,
  SecurityPolicy,
  MessageSecurityMode,
  Variant,
  VariantArrayType,
  coerceLocalizedText,
  makeEUInformation,
  promoteToStateMachine,
  standardUnits,
} = require("node-opcua");
const { nodesets } = require("node-opcua-nodesets");
const { ready } = require("./peer");

const URI = "http://opcfoundation.org/UA/";
const OWN_URI = "urn:example:companion:plant";

function type(addressSpace, suffix, name) {
  const index = addressSpace.getNamespaceIndex(URI + suffix);
  return addressSpace.findObjectType(name, index);
}

function put(node, dataType, value) {
  node.setValueFromSource(new Variant({ dataType, value }));
}

function identify(machine, serial) {
  const nameplate = machine.getChildByName("Identification") || machine;
  const text = { Manufacturer: "示例机床", Model: "Sample 500" };
  for (const [name, value] of Object.entries(text)) {
    const node = nameplate.getChildByName(name);
    if (node) put(node, DataType.LocalizedText, coerceLocalizedText(value));
  }
  const plain = { SerialNumber: serial, ProductInstanceUri: `urn:example:${serial}` };
  for (const [name, value] of Object.entries(plain)) {
    const node = nameplate.getChildByName(name);
    if (node) put(node, DataType.String, value);
  }
}

function analog(namespace, parent, name, unit, value) {
  const variable = namespace.addAnalogDataItem({
    componentOf: parent,
    browseName: name,
    definition: "",
    engineeringUnitsRange: { low: 0, high: 1000000 },
    engineeringUnits: unit,
    dataType: DataType.Double,
  });
  put(variable, DataType.Double, value);
  return variable;
}

// OPC 40001-1 with Process Values (40001-2) and Job Management (40001-3).
function addPress(addressSpace, namespace, machines) {
  const press = namespace.addObject({ browseName: "示例压机", organizedBy: machines });
  type(addressSpace, "Machinery/", "MachineIdentificationType").instantiate({
    browseName: { name: "Identification", namespaceIndex: addressSpace.getNamespaceIndex(URI + "DI/") },
    componentOf: press,
    optionals: ["Model"],
  });
  identify(press, "PR-0001");
  const blocks = namespace.addObject({
    browseName: {
      name: "MachineryBuildingBlocks",
      namespaceIndex: addressSpace.getNamespaceIndex(URI + "Machinery/"),
    },
    componentOf: press,
    typeDefinition: "FolderType",
  });
  const states = {
    MachineryItemState: ["MachineryItemState_StateMachineType", "Executing"],
    MachineryOperationMode: ["MachineryOperationModeStateMachineType", "Processing"],
  };
  for (const [browseName, [typeName, state]] of Object.entries(states)) {
    const machine = type(addressSpace, "Machinery/", typeName).instantiate({
      browseName,
      componentOf: blocks,
    });
    promoteToStateMachine(machine).setState(state);
  }
  const counters = type(addressSpace, "Machinery/", "MachineryOperationCounterType").instantiate({
    browseName: "OperationCounters",
    componentOf: blocks,
    optionals: ["PowerOnDuration", "OperationDuration", "OperationCycleCounter"],
  });
  put(counters.getChildByName("PowerOnDuration"), DataType.Double, 7200000);
  put(counters.getChildByName("OperationDuration"), DataType.Double, 3600000);
  put(counters.getChildByName("OperationCycleCounter"), DataType.UInt32, 12);
  type(addressSpace, "Machinery/Jobs/", "JobManagementType").instantiate({
    browseName: "JobManagement",
    componentOf: blocks,
  });
  const monitoring = type(addressSpace, "Machinery/", "MonitoringType").instantiate({
    browseName: "Monitoring",
    componentOf: blocks,
    optionals: ["Consumption", "Process"],
  });
  const consumption = monitoring.getChildByName("Consumption");
  analog(namespace, consumption, "ActiveEnergy", kilowattHour(), 1234.5);
  analog(namespace, consumption, "ActivePower", standardUnits.kilowatt, 7.5);
  const pressure = type(addressSpace, "Machinery/ProcessValues/", "ProcessValueType").instantiate({
    browseName: "HydraulicPressure",
    componentOf: monitoring.getChildByName("Process"),
  });
  const signal = pressure.getChildByName("AnalogSignal");
  signal.getChildByName("EngineeringUnits").setValueFromSource(
    new Variant({ dataType: DataType.ExtensionObject, value: standardUnits.bar }),
  );
  put(signal, DataType.Double, 160.5);
}

function kilowattHour() {
  return makeEUInformation("KWH", "kW·h", "kilowatt hour");
}

// OPC 40501-1; one with the states of OPC 40001-1, and one from before they were added.
function addMachineTool(addressSpace, namespace, machines) {
  const tool = type(addressSpace, "MachineTool/", "MachineToolType").instantiate({
    browseName: "MillingCentre",
    organizedBy: machines,
    optionals: [
      "MachineryBuildingBlocks",
      "Monitoring.MachineTool.MachineryItemState",
      "Monitoring.MachineTool.MachineryOperationMode",
      "Production.Statistics",
      "Production.Statistics.PartsProducedInLifetime",
    ],
  });
  identify(tool, "MT-0002");
  const monitoring = tool.getChildByName("Monitoring");
  const machine = monitoring.getChildByName("MachineTool");
  put(machine.getChildByName("OperationMode"), DataType.Int32, 2);
  promoteToStateMachine(machine.getChildByName("MachineryItemState")).setState("NotExecuting");
  promoteToStateMachine(machine.getChildByName("MachineryOperationMode")).setState("Setup");
  run(tool, "Interrupted");
  const statistics = tool.getChildByName("Production").getChildByName("Statistics");
  put(statistics.getChildByName("PartsProducedInLifetime"), DataType.UInt32, 4711);
  const spindle = type(addressSpace, "MachineTool/", "SpindleMonitoringType").instantiate({
    browseName: "Spindle1",
    componentOf: monitoring,
  });
  put(spindle.getChildByName("IsRotating"), DataType.Boolean, true);
  const channel = type(addressSpace, "MachineTool/", "ChannelMonitoringType").instantiate({
    browseName: "Channel1",
    componentOf: monitoring,
  });
  put(channel.getChildByName("ChannelState"), DataType.Int32, 0);
  put(channel.getChildByName("FeedOverride"), DataType.Double, 100);
  const lathe = type(addressSpace, "MachineTool/", "MachineToolType").instantiate({
    browseName: "Lathe",
    organizedBy: machines,
  });
  identify(lathe, "MT-0003");
  const latheMachine = lathe.getChildByName("Monitoring").getChildByName("MachineTool");
  put(latheMachine.getChildByName("OperationMode"), DataType.Int32, 1);
  run(lathe, "Running");
}

function run(tool, programState) {
  const program = tool.getChildByName("Production").getChildByName("ActiveProgram");
  promoteToStateMachine(program.getChildByName("State")).setState(programState);
}

// OPC 30050: a state machine in a state machine in a state machine.
function addPacker(addressSpace, namespace, objects) {
  const packer = type(addressSpace, "PackML/", "PackMLBaseObjectType").instantiate({
    browseName: "Packer",
    organizedBy: objects,
    optionals: ["TagID", "Admin.ProdProcessedCount", "Admin.ProdDefectiveCount", "Admin.MachDesignSpeed"],
  });
  put(packer.getChildByName("TagID"), DataType.String, "示例包装机");
  const base = packer.getChildByName("BaseStateMachine");
  const machine = base.getChildByName("MachineState");
  const execute = machine.getChildByName("ExecuteState");
  promoteToStateMachine(base).setState("Cleared");
  promoteToStateMachine(machine).setState("Running");
  promoteToStateMachine(execute).setState("Execute");
  const status = packer.getChildByName("Status");
  put(status.getChildByName("CurMachSpeed"), DataType.Float, 60);
  put(status.getChildByName("MachSpeed"), DataType.Float, 80);
  put(status.getChildByName("EquipmentBlocked"), DataType.Boolean, false);
  put(status.getChildByName("EquipmentStarved"), DataType.Boolean, false);
  put(status.getChildByName("UnitModeCurrent"), DataType.Int32, 1);
  const index = addressSpace.getNamespaceIndex(URI + "PackML/");
  const countType = addressSpace.findDataType("PackMLCountDataType", index);
  const counted = (AccCount) => addressSpace.constructExtensionObject(countType, {
    ID: 1, Name: "示例产品", Count: AccCount, AccCount,
  });
  const admin = packer.getChildByName("Admin");
  const counts = { ProdProcessedCount: 5000, ProdDefectiveCount: 25 };
  for (const [name, count] of Object.entries(counts)) {
    admin.getChildByName(name).setValueFromSource(
      new Variant({
        dataType: DataType.ExtensionObject,
        arrayType: VariantArrayType.Array,
        value: [counted(count)],
      }),
    );
  }
  put(admin.getChildByName("MachDesignSpeed"), DataType.Float, 90);
}

// OPC 40010-1.
function addRobot(addressSpace, namespace, deviceSet) {
  const robot = type(addressSpace, "Robotics/", "MotionDeviceSystemType").instantiate({
    browseName: "WeldingRobot",
    componentOf: deviceSet,
  });
  const controller = type(addressSpace, "Robotics/", "ControllerType").instantiate({
    browseName: "Controller1",
    componentOf: robot.getChildByName("Controllers"),
    optionals: ["ParameterSet", "ParameterSet.TotalEnergyConsumption", "SystemOperation"],
  });
  const energy = controller.getChildByName("ParameterSet").getChildByName("TotalEnergyConsumption");
  put(energy, DataType.Double, 321.25);
  energy.getChildByName("EngineeringUnits").setValueFromSource(
    new Variant({ dataType: DataType.ExtensionObject, value: kilowattHour() }),
  );
  const machine = controller.getChildByName("SystemOperation").getChildByName("SystemOperationStateMachine");
  promoteToStateMachine(machine).setState("Executing");
  const arm = type(addressSpace, "Robotics/", "MotionDeviceType").instantiate({
    browseName: "Arm1",
    componentOf: robot.getChildByName("MotionDevices"),
    optionals: ["ParameterSet.InControl"],
  });
  identify(arm, "RB-0003");
  put(arm.getChildByName("ParameterSet").getChildByName("SpeedOverride"), DataType.Double, 80);
  put(arm.getChildByName("ParameterSet").getChildByName("InControl"), DataType.Boolean, true);
  const safety = type(addressSpace, "Robotics/", "SafetyStateType").instantiate({
    browseName: "Safety1",
    componentOf: robot.getChildByName("SafetyStates"),
  });
  const states = safety.getChildByName("ParameterSet");
  put(states.getChildByName("OperationalMode"), DataType.Int32, 3);
  put(states.getChildByName("EmergencyStop"), DataType.Boolean, false);
  put(states.getChildByName("ProtectiveStop"), DataType.Boolean, false);
}

// A machine of no specification at all, with more values than one answer carries.
function addUnknown(namespace, objects) {
  const tank = namespace.addObject({ browseName: "Tank", organizedBy: objects });
  analog(namespace, tank, "Temperature", standardUnits.degree_celsius, 81.5);
  for (let number = 1; number <= 30; number++) {
    const valve = namespace.addVariable({
      browseName: `Valve${number}`, componentOf: tank, dataType: DataType.Boolean,
    });
    put(valve, DataType.Boolean, number % 2 === 0);
  }
}

async function main() {
  const port = Number(process.argv[2]);
  const server = new OPCUAServer({
    port,
    host: "127.0.0.1",
    serverInfo: { applicationUri: "urn:example:companion" },
    alternateHostname: "127.0.0.1",
    securityPolicies: [SecurityPolicy.None],
    securityModes: [MessageSecurityMode.None],
    nodeset_filename: [
      nodesets.standard, nodesets.di, nodesets.ia, nodesets.machinery, nodesets.irdi,
      nodesets.padim, nodesets.machineryProcessValues, nodesets.isa95JobControl,
      nodesets.machineryJobs, nodesets.machineTool, nodesets.packML, nodesets.robotics,
    ],
    // As small as a controller's.
    serverCapabilities: {
      maxBrowseContinuationPoints: 3,
      operationLimits: { maxNodesPerBrowse: 7, maxNodesPerRead: 40 },
    },
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  const namespace = addressSpace.registerNamespace(OWN_URI);
  const objects = addressSpace.rootFolder.objects;
  const machineryIndex = addressSpace.getNamespaceIndex(URI + "Machinery/");
  const machines = addressSpace.findNode(`ns=${machineryIndex};i=1001`);
  const deviceSet = addressSpace.findNode(`ns=${addressSpace.getNamespaceIndex(URI + "DI/")};i=5001`);
  addPress(addressSpace, namespace, machines);
  addMachineTool(addressSpace, namespace, machines);
  addPacker(addressSpace, namespace, objects);
  addRobot(addressSpace, namespace, deviceSet);
  addUnknown(namespace, objects);
  await server.start();
  ready({ port });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

"""Second devices on a machine that has only a CPU: its plugin under other names. What runs there is no GPU."""

import sys
from pathlib import Path

# GPU: the CPU plugin behind OpenVINO's proxy. GPUHETERO: the HETERO plugin by another name, which MULTI takes for a
# device of its own, since it joins no two CPUs.
PLUGINS = """<ie><plugins>
<plugin name="CPU" location="{cpu}"/>
<plugin name="CPUX" location="{cpu}"><properties>
  <property key="PROXY_CONFIGURATION_ALIAS" value="GPU"/>
  <property key="PROXY_CONFIGURATION_INTERNAL_NAME" value="CPUX"/>
</properties></plugin>
<plugin name="GPUHETERO" location="{hetero}"/>
<plugin name="HETERO" location="{hetero}"/>
<plugin name="MULTI" location="{auto}"/>
<plugin name="AUTO" location="{auto}"/>
</plugins></ie>
"""

HETERO, MULTI, AUTO = "HETERO:GPU,CPU", "MULTI:GPUHETERO,CPU", "AUTO:GPU,CPU"


def write_plugins(folder: Path, is_cpu_alone: bool = False) -> Path:
    """Write the plugins.xml of a machine with a CPU and a stand-in GPU, or with a CPU alone, whatever this one has."""
    name = "openvino_{}_plugin.dll" if sys.platform == "win32" else "libopenvino_{}_plugin.so"
    path = folder / "plugins.xml"
    libraries = {
        key: name.format(f"{prefix}{key}") for key, prefix in (("cpu", "intel_"), ("hetero", ""), ("auto", ""))
    }
    plugins = PLUGINS.format(**libraries)
    if is_cpu_alone:
        start, end = plugins.index('<plugin name="CPUX"'), plugins.index('<plugin name="HETERO"')
        plugins = plugins[:start] + plugins[end:]
    path.write_text(plugins)
    return path
